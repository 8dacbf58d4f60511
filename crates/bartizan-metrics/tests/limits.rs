//! What the store holds when it is treated badly: memory within the declared bounds, flat afterwards, every overflow visible; and
//! what a large page costs.
//!
//! Each test is small here and large in its ignored form, which is to be run in release:
//! `cargo test --release -p bartizan-metrics --test limits -- --ignored --nocapture --test-threads 1`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail anywhere, and says what it measured"
)]

use std::convert::Infallible;
use std::future::{Future, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use allocation_counter::measure;
use bartizan_metrics::{Format, RedLayer, Store};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};

/// What the documentation declares for a series with labels of this length, in bytes: the series of a counter, of a histogram
/// with 15 buckets, and of one with native buckets.
fn declared(labels: usize, kind: Kind) -> usize {
    let buckets = match kind {
        Kind::Counter => 0,
        Kind::Histogram => 100 + 15 * 8,
        Kind::Native => 100 + 15 * 8 + 3_616,
    };
    300 + 3 * labels + buckets
}

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Histogram,
    Native,
}

fn text(store: &Store) -> String {
    let mut page = Vec::new();
    store.render(Format::Text004, &mut page);
    String::from_utf8(page).unwrap()
}

fn count(store: &Store, start: &str) -> u64 {
    let page = text(store);
    let line = page.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Bytes that are left of what some work allocated.
fn kept(work: impl FnOnce()) -> i64 {
    measure(work).bytes_current
}

/// Runs a future that is never pending.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

fn requests(number: u64) {
    let store = Store::new();
    let layer = RedLayer::new().recorder(store.clone());
    let service = layer.layer(service_fn(|_| {
        ready(Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello")))))
    }));
    let request = |n: u64| {
        // Whoever sends them chooses method and path.
        let method = format!("M{}", n % 1_000);
        let request = Request::builder().method(&*method).uri(format!("/{n}")).body(Full::new(Bytes::new()));
        let response = now(service.clone().oneshot(request.unwrap())).unwrap();
        now(response.into_body().collect()).unwrap();
    };
    let first = kept(|| (0..1_000).for_each(request));
    let rest = kept(|| (1_000..number).for_each(request));
    println!("{number} requests: {first} bytes for the first 1000, {rest} for the rest");
    // Most of it are the tables of the layer.
    assert!(first < 400_000, "{first}");
    assert!(rest < 10_000, "{rest}");
    assert_eq!(count(&store, "http_requests_total{"), number);
    assert!(text(&store).contains("method=\"_OTHER\""));
}

#[test]
fn requests_that_nobody_scrapes_take_no_memory() {
    requests(20_000);
}

#[test]
#[ignore = "ten million take a while"]
fn ten_million_requests_that_nobody_scrapes_take_no_memory() {
    requests(10_000_000);
}

fn observations(number: u64) {
    let store = Store::new();
    let cell = store.histogram("wait_seconds", &[("queue", "a")]);
    let observe = |n: u64| cell.record((n % 4_096) as f64 * 0.001);
    let first = kept(|| (0..4_096).for_each(observe));
    let started = Instant::now();
    let rest = kept(|| (4_096..number).for_each(observe));
    let nanos = started.elapsed().as_nanos() / u128::from(number);
    println!("{number} observations: {first} bytes at first, {rest} for the rest; {nanos} ns each");
    assert!(first < 3_600, "{first}");
    assert_eq!(rest, 0);
    assert_eq!(count(&store, "wait_seconds_count"), number);
}

#[test]
fn observations_that_nobody_scrapes_take_no_memory() {
    observations(300_000);
}

#[test]
#[ignore = "ten million take a while"]
fn ten_million_observations_that_nobody_scrapes_take_no_memory() {
    observations(10_000_000);
}

#[test]
fn recording_allocates_nothing_with_native_buckets_and_exemplars_too() {
    let store = Store::new();
    let cell = store.histogram("wait_seconds", &[("queue", "a")]);
    let record = || {
        for n in 0..1_000_u16 {
            cell.record(f64::from(n) * 0.01);
            cell.record_with_exemplar(f64::from(n) * 0.01, [7; 16], [7; 8]);
        }
    };
    record();
    for _ in 0..3 {
        assert_eq!(measure(record).count_total, 0);
        // A new round of exemplars begins.
        store.render(Format::OpenMetrics1, &mut Vec::new());
    }
}

fn label_values(number: u64) {
    let store = Store::new();
    let register = |n: u64| {
        metrics::with_local_recorder(&store, || {
            metrics::histogram!("search_seconds", "q" => format!("{n:x}-{}", "x".repeat(600))).record(0.1);
            metrics::counter!("searches_total", "q" => format!("{n:x}")).increment(1);
        });
    };
    let first = kept(|| (0..2_000).for_each(register));
    let rest = kept(|| (2_000..number).for_each(register));
    println!("{number} label values: {first} bytes for the first 2000, {rest} for the rest");
    let bound = 2_000 * (declared(512, Kind::Native) + declared(8, Kind::Counter));
    assert!(first < i64::try_from(bound).unwrap(), "{first} of {bound}");
    // The overflow series and its counter.
    assert!(rest < 10_000, "{rest}");
    let page = text(&store);
    for metric in ["search_seconds", "searches_total"] {
        let overflow = format!("bartizan_series_overflow_total{{metric=\"{metric}\"}} {}\n", number - 2_000);
        assert!(page.contains(&overflow), "{overflow}");
    }
    assert_eq!(count(&store, "searches_total{q=\"overflow\"}"), number - 2_000);
}

#[test]
fn label_values_without_end_stay_within_the_caps() {
    label_values(20_000);
}

#[test]
#[ignore = "a million take a while"]
fn a_million_label_values_stay_within_the_caps() {
    label_values(1_000_000);
}

/// Registers this many histogram series, each with values from 100 microseconds to a second.
fn fill(store: &Store, series: usize) {
    for n in 0..series {
        let labels = [
            ("method", "GET".to_owned()),
            ("endpoint", format!("/api/v1/resource-{}/{{id}}", n / 10)),
            ("status", format!("20{}", n % 10)),
        ];
        let cell = store.histogram("http_request_duration_seconds", &labels);
        (0..40).for_each(|n| cell.record(1e-4 * 10_000_f64.powf(f64::from(n) / 40.0)));
    }
}

fn full_store(series: usize, native: usize) {
    let store = Store::builder()
        .max_series(series)
        .max_total_series(series)
        .max_native_histograms(native)
        .build()
        .unwrap();
    let bytes = usize::try_from(kept(|| fill(&store, series))).unwrap();
    println!("{series} histogram series, {native} native: {bytes} bytes, {} each", bytes / series);
    let bound = native * declared(80, Kind::Native) + (series - native) * declared(80, Kind::Histogram);
    assert!(bytes < bound, "{bytes} of {bound}");
    let again = kept(|| {
        fill(&store, series);
        fill(&store, series + 100);
    });
    println!("as many values again and 100 label sets past the cap: {again} bytes more");
    assert!(again < 10_000, "{again}");
    let overflow = "bartizan_series_overflow_total{metric=\"http_request_duration_seconds\"}";
    assert_eq!(count(&store, overflow), 100);
    // One more for the overflow series.
    let refused = if native > 0 { (series - native) as u64 + 1 } else { 0 };
    assert_eq!(count(&store, "bartizan_native_histograms_refused_total"), refused);
}

#[test]
fn a_full_store_is_as_large_as_declared() {
    full_store(2_000, 0);
    full_store(2_000, 400);
    full_store(2_000, 2_000);
}

#[test]
#[ignore = "fifty thousand take a while"]
fn a_store_of_fifty_thousand_series_is_as_large_as_declared() {
    full_store(50_000, 10_000);
    full_store(50_000, 50_000);
}

/// Writes a page of this many histogram series in every format: how long it took, and whether it took thrice its size at most.
fn pages(series: usize, limit: Option<Duration>) {
    let store = Store::builder().max_series(series).build().unwrap();
    fill(&store, series);
    for format in [Format::Text004, Format::OpenMetrics1, Format::Protobuf] {
        for encoding in ["identity", "gzip", "zstd"] {
            if encoding == "zstd" && !cfg!(feature = "zstd") {
                continue;
            }
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, format.content_type());
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding));
            let mut plain = 0;
            let mut times = Vec::new();
            for round in 0..9 {
                let mut bytes = 0;
                let started = Instant::now();
                let used = measure(|| {
                    let page = store.page(&headers);
                    assert_eq!(page.content_encoding.is_some(), encoding != "identity");
                    bytes = page.body.len() as u64;
                });
                times.push(started.elapsed());
                if round == 0 {
                    let mut page = Vec::new();
                    store.render(format, &mut page);
                    plain = page.len() as u64;
                }
                if round < 2 {
                    println!("{format:?} {encoding}: {bytes} bytes, {} at most in memory", used.bytes_max);
                    // A compressor has a window of its own, whatever the page.
                    let bound = (3 * plain).max(1 << 20);
                    assert!(used.bytes_max < bound, "{} for {plain}", used.bytes_max);
                }
            }
            times.sort_unstable();
            println!("{format:?} {encoding}: {:?} ({:?} to {:?})", times[4], times[0], times[8]);
            if let Some(limit) = limit.filter(|_| encoding == "identity") {
                assert!(times[4] <= limit, "{:?}", times[4]);
            }
        }
    }
}

#[test]
fn a_page_never_takes_thrice_its_size() {
    pages(300, None);
}

#[test]
#[ignore = "a measurement, only of use in release"]
fn ten_thousand_histograms_are_written_in_milliseconds() {
    pages(10_000, Some(Duration::from_millis(25)));
}
