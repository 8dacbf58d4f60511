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
        metrics.time("query", &[("table", "orders")]).run(|| Ok::<_, ()>(())).unwrap();
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
