//! Two instances are restarted in turn, again and again, while clients never stop sending: no request may fail.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use bartizan_tests::restart::{Fleet, Http1, Http2, Load, http_proxy, service};

const ROUNDS: usize = 20;

/// Mostly short requests, some that take longer, and one whose body takes its time.
const PATHS: &[(&str, &str)] = &[
    ("/orders/7", "shipped"),
    ("/orders/8", "shipped"),
    ("/slow?ms=20", "slept_ms"),
    ("/orders/9", "shipped"),
    ("/api/v1/items/3", "item"),
    ("/orders/10", "shipped"),
    ("/stream?chunks=4&ms=10", "ten bytes"),
    ("/orders/11", "shipped"),
    ("/files/a", "contents"),
    ("/orders/12", "shipped"),
    ("/slow?ms=150", "slept_ms"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_rolling_restarts_under_load_lose_no_request_over_http1_or_http2() {
    // A delay that is longer than it takes until nobody is sent to an instance: 300 ms, and the probes before.
    let vars = [("DRAIN_DELAY", "1s"), ("DRAIN_DEADLINE", "10s")];
    let mut fleet = Fleet::start(env!("CARGO_BIN_EXE_quickstart"), &vars).await;
    let direct = fleet.instances.clone();
    let service = service(fleet.instances.clone()).await;
    let proxy = http_proxy(fleet.instances.clone()).await;

    let mut load = Load::default();
    load.add("HTTP/1.1 through a proxy", 6, || Http1::new(PATHS, move || proxy));
    load.add("HTTP/1.1 through a Service", 6, || Http1::new(PATHS, move || service));
    load.add("HTTP/2 through a Service", 3, || Http2::new(PATHS, move || service));
    load.add("HTTP/1.1 direct", 6, || {
        let direct = direct.clone();
        Http1::new(PATHS, move || direct.pick())
    });
    load.add("HTTP/2 direct", 3, || {
        let direct = direct.clone();
        Http2::new(PATHS, move || direct.pick())
    });
    for _ in 0..ROUNDS {
        fleet.rolling_restart().await;
    }
    load.finish().await;
}
