//! What handles cost: nothing while metrics are off, and no allocation once their series are there.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use bartizan_metrics::{Metrics, Store, label_set};

struct Job<'a> {
    queue: &'a str,
    urgent: bool,
}
label_set!(impl Job<'_> { queue, urgent });

/// Uses every kind of handle once.
fn use_all(metrics: Metrics) -> impl Fn() {
    let counter = metrics.counter("c_total").help("Help.").register().unwrap();
    let jobs = metrics.counter("jobs_total").help("Help.").family().unwrap();
    let gauge = metrics.gauge("g").family().unwrap();
    let histogram = metrics.histogram("h").family().unwrap();
    let summary = metrics.summary("s").family().unwrap();
    let timings = metrics.timings("t").register().unwrap();
    move || {
        counter.increment(1);
        jobs.with(&Job { queue: "mail", urgent: true }).increment(1);
        gauge.with(&[("queue", "mail")]).set(1.0);
        histogram.with(&()).record(0.1);
        summary.with(&[("queue", "mail")]).record(0.1);
        timings.start(&[("queue", "mail")]).success();
        metrics.time("query", &[("table", "orders")]).call(|| Ok::<_, ()>(())).unwrap();
        drop(metrics.time("query", &[("table", "orders")]));
    }
}

#[test]
fn off_nothing_is_allocated_not_even_to_register() {
    let all = allocation_counter::measure(|| {
        let metrics = Metrics::off();
        let _ = metrics.counter("c_total").help("Help.").register().unwrap();
        let _ = metrics.histogram("h").family().unwrap();
        metrics.summary("s").register().unwrap().record(1.0);
        bartizan_metrics::time("query", &[("table", "orders")]).success();
    });
    assert_eq!(all.count_total, 0);
    let use_all = use_all(Metrics::off());
    assert_eq!(allocation_counter::measure(|| (0..100).for_each(|_| use_all())).count_total, 0);
}

#[test]
fn on_nothing_is_allocated_once_the_series_are_there() {
    let store = Store::new();
    let use_all = use_all(Metrics::new(&store));
    (0..10).for_each(|_| use_all());
    // Real time is measured here: what takes longer than all before, on a busy machine, is the first in its bucket.
    let hundred = || allocation_counter::measure(|| (0..100).for_each(|_| use_all())).count_total;
    assert_eq!((0..10).map(|_| hundred()).min(), Some(0));
}

#[test]
fn labels_of_the_application_cost_no_allocation_in_the_steady_state() {
    use bartizan_metrics::{CustomLabel, RedLayer};
    use std::future::ready;
    use tower::{Layer, Service, service_fn};

    let red = || RedLayer::new().recorder(Store::new());
    let label = |name| {
        CustomLabel::of_request(name, |request| request.header("x-tenant").map(Into::into)).values(["acme"])
    };
    let cost = |layer: RedLayer| {
        let respond =
            |_| ready(Ok::<_, ()>(http::Response::new(http_body_util::Empty::<bytes::Bytes>::new())));
        let mut service = layer.layer(service_fn(respond));
        let mut once = || {
            let request = http::Request::get("/")
                .header("x-tenant", "acme")
                .body(http_body_util::Empty::<bytes::Bytes>::new());
            let mut future = std::pin::pin!(service.call(request.unwrap()));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(future.as_mut().poll(&mut context).is_ready());
        };
        (0..64).for_each(|_| once());
        allocation_counter::measure(once).count_total
    };
    let with_labels = red().label(label("a")).unwrap().label(label("b")).unwrap();
    assert_eq!(cost(with_labels), cost(red()));
}

#[test]
fn a_request_allocates_the_same_however_many_routes_there_are() {
    use std::sync::Arc;

    use bartizan_core::{Route, Routes, Settings};
    use bartizan_metrics::RedLayer;
    use tower::{Layer, Service, service_fn};

    let cost = |routes: usize| {
        let templates: Vec<Route> =
            (0..routes).map(|n| Arc::<str>::from(format!("/route{n}/{{id}}")).into()).collect();
        let of = move |parts: &http::request::Parts| templates.get(parts.uri.port_u16()? as usize).cloned();
        let settings = Settings { routes: Routes::new().function(of), ..Settings::default() };
        let store = Store::builder().max_series(20_000).max_total_series(100_000).build().unwrap();
        let layer = RedLayer::new().recorder(store).max_series(20_000).settings(settings);
        let mut service = layer.layer(service_fn(|_: http::Request<http_body_util::Empty<bytes::Bytes>>| {
            std::future::ready(Ok::<_, ()>(http::Response::new(http_body_util::Empty::<bytes::Bytes>::new())))
        }));
        let uris: Vec<http::Uri> =
            (0..routes).map(|n| format!("http://localhost:{n}/").parse().unwrap()).collect();
        let mut all = || {
            for uri in &uris {
                let mut request = http::Request::new(http_body_util::Empty::new());
                request.uri_mut().clone_from(uri);
                let mut future = std::pin::pin!(service.call(request));
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                assert!(future.as_mut().poll(&mut context).is_ready());
            }
        };
        (0..3).for_each(|_| all());
        allocation_counter::measure(all).count_total / routes as u64
    };
    let one = cost(1);
    assert_eq!([cost(1_000), cost(10_000)], [one, one]);
}
