#![allow(warnings)]
use bytes::Bytes;
use http::*;
use std::{hint::black_box, time::Duration, sync::*};
use rustix::time::{ClockId, clock_gettime};
fn cpu() -> Duration { let t = clock_gettime(ClockId::ThreadCPUTime); Duration::new(t.tv_sec as u64, t.tv_nsec as u32) }
fn m<R>(name: &str, mut f: impl FnMut() -> R) {
    let mut best = f64::MAX;
    for _ in 0..15 { let b = cpu(); for _ in 0..200_000 { black_box(f()); } best = best.min((cpu()-b).as_nanos() as f64/200_000.0); }
    println!("{name:30} {best:.1}");
}
fn main() {
    let body = Bytes::from(vec![7u8;120]); let b2=body.clone();
    let lock = RwLock::new(body.clone());
    let len: HeaderValue = 120usize.into(); let l2 = len.clone();
    let mut map = HeaderMap::with_capacity(3);
    map.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    map.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let two = map.clone();
    let mut st = map.clone(); st.insert(header::CONTENT_LENGTH, HeaderValue::from_static("120"));
    map.insert(header::CONTENT_LENGTH, len.clone());
    let mut req = HeaderMap::new();
    for (k,v) in [("host","a"),("user-agent","kube-probe/1.31"),("accept","*/*"),("connection","close")] { req.insert(HeaderName::from_static(k), HeaderValue::from_static(v)); }
    m("tokio now", || tokio::time::Instant::now());
    m("std now", || std::time::Instant::now());
    m("coarse", || clock_gettime(ClockId::MonotonicCoarse));
    m("rwlock read", || lock.read().unwrap().len());
    m("bytes clone+drop", || body.clone());
    m("len clone+drop", || len.clone());
    m("map clone 3", || map.clone());
    m("map clone 3 static", || st.clone());
    m("map clone 2 static", || two.clone());
    m("map insert 3 into with_capacity", || { let mut map = HeaderMap::with_capacity(3);
    map.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    map.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    map.insert(header::CONTENT_LENGTH, len.clone()); map});
    m("map insert 3 into new", || { let mut map = HeaderMap::new();
    map.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    map.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    map.insert(header::CONTENT_LENGTH, len.clone()); map});
    m("req clone", || req.clone());
    m("req clone, clear", || {let mut r = req.clone(); r.clear(); r});
    m("req clone, clear, insert 3", || {let mut map = req.clone(); map.clear(); 
    map.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    map.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    map.insert(header::CONTENT_LENGTH, len.clone()); map
    });
    m("malloc", || Box::new([0u64;12]));
    m("response new drop", || Response::new(Bytes::new()));
    m("request new drop", || Request::new(()));
    m("request get", || Request::get("/readyz").body(()).unwrap());
}
