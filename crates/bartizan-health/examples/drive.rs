#![allow(warnings)]
use bartizan_health::{CheckOptions, HealthLayer, Registry};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use std::{convert::Infallible, hint::black_box, time::Duration};
use tower::{Layer, Service, service_fn};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let path: &'static str = Box::leak(a[1].clone().into_boxed_str());
    let n: u64 = a[2].parse().unwrap();
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    rt.block_on(async {
        let registry = Registry::new();
        for number in 0..10 {
            let options = CheckOptions::new().interval(Duration::from_secs(100));
            registry.register_with(format!("check {number}"), || async {}, options).unwrap();
        }
        let host = service_fn(|_: Request<()>| std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))));
        let mut bare = host;
        let mut ready: Response<Full<Bytes>> = Response::new(Full::from(vec![1u8;120]));
        ready.headers_mut().reserve(4);
        ready.headers_mut().insert("cache-control", http::HeaderValue::from_static("no-store"));
        ready.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
        ready.headers_mut().insert("content-length", http::HeaderValue::from(120));
        let ready: &'static _ = Box::leak(Box::new(ready));
        let mut canned = service_fn(move |_: Request<()>| std::future::ready(Ok::<_, Infallible>(ready.clone())));

        let mut service = HealthLayer::new(registry).layer(host);
        if n == 0 {
            let cpu = || { let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime); Duration::new(t.tv_sec as u64, t.tv_nsec as u32) };
            let (mut c, mut none, mut b, mut l) = (f64::MAX, f64::MAX, f64::MAX, f64::MAX);
            const N: u32 = 50_000;
            for _ in 0..40 {
                let t = cpu(); for _ in 0..N { black_box(req(path)); } none = none.min((cpu()-t).as_nanos() as f64 / N as f64);
                let t = cpu(); for _ in 0..N { black_box(bare.call(req(path)).await.unwrap()); } b = b.min((cpu()-t).as_nanos() as f64 / N as f64);
                let t = cpu(); for _ in 0..N { black_box(service.call(req(path)).await.unwrap()); } l = l.min((cpu()-t).as_nanos() as f64 / N as f64);
                let t = cpu(); for _ in 0..N { black_box(canned.call(req(path)).await.unwrap()); } c = c.min((cpu()-t).as_nanos() as f64 / N as f64);
            }
            println!("canned +{:.1}", c-none);
            println!("{path}: request {none:.1}, bare +{:.1}, layer +{:.1}", b-none, l-none);
        } else if path == "none" {
            for _ in 0..n { black_box(req("/readyz")); }
        } else if let Some(path) = path.strip_prefix("bare:") {
            let path: &'static str = path;
            for _ in 0..n { black_box(bare.call(req(path)).await.unwrap()); }
        } else if let Some(path) = path.strip_prefix("canned:") {
            let path: &'static str = path;
            for _ in 0..n { black_box(canned.call(req(path)).await.unwrap()); }
        } else {
            for _ in 0..n { black_box(service.call(req(path)).await.unwrap()); }
        }
    });
}
#[inline(never)]
fn req(path: &'static str) -> Request<()> {
    let mut r = Request::new(());
    *r.uri_mut() = http::Uri::from_static(path);
    r.headers_mut().reserve(6);
    r.headers_mut().insert("host", http::HeaderValue::from_static("10.1.2.3:8080"));
    r.headers_mut().insert("user-agent", http::HeaderValue::from_static("kube-probe/1.34"));
    r.headers_mut().insert("accept", http::HeaderValue::from_static("*/*"));
    r.headers_mut().insert("connection", http::HeaderValue::from_static("close"));
    r
}
