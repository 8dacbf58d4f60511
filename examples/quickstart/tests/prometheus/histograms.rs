//! Classic and native histograms say the same, and exemplars lead to spans that were exported.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::process::{Service, collect};
use crate::server::{Prometheus, installed};

/// The bounds of the classic buckets that matter here.
const BOUNDS: [f64; 11] = [0.0, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0];

/// Takes spans until the test is over.
fn collector() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let spans = Arc::<Mutex<Vec<u8>>>::default();
    let kept = Arc::clone(&spans);
    std::thread::spawn(move || {
        loop {
            let request = collect(&listener);
            kept.lock().unwrap().extend(request);
        }
    });
    (endpoint, spans)
}

/// A trace id as the wire has it.
fn bytes(hex: &str) -> Vec<u8> {
    (0..16).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

#[test]
fn classic_and_native_histograms_agree_and_their_exemplars_are_exported_spans() {
    if !installed("prometheus") {
        return;
    }
    let (endpoint, spans) = collector();
    let service =
        Service::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "50")]);
    let classic = Prometheus::scraping(service.address, "exemplar-storage");
    let native = Prometheus::scraping(service.address, "exemplar-storage,native-histograms");
    let mut traces = Vec::new();
    for ms in [1, 2, 3, 5, 8, 13, 15, 18, 21, 34, 40, 55, 60, 89, 120, 144, 200, 233, 300] {
        for _ in 0..2 {
            let answer = service.send("GET", &format!("/slow?ms={ms}"), &[], "");
            traces.push(answer.header("x-trace-id").unwrap());
        }
    }

    let all = traces.len() as f64;
    let there = |value: f64| (value - all).abs() < f64::EPSILON;
    classic.wait_for("http_request_duration_seconds_count{endpoint=\"/slow\"}", there);
    native.wait_for("histogram_count(http_request_duration_seconds{endpoint=\"/slow\"})", there);
    for q in [0.1, 0.25, 0.5, 0.75, 0.9, 0.99] {
        let query = |name: &str| format!("histogram_quantile({q},{name}{{endpoint=\"/slow\"}})");
        let coarse = classic.wait_for(&query("http_request_duration_seconds_bucket"), f64::is_finite);
        let fine = native.wait_for(&query("http_request_duration_seconds"), f64::is_finite);
        let upper = BOUNDS.partition_point(|bound| *bound < coarse);
        // One bucket more of the finer ones: 2^(1/8).
        let (low, high) = (BOUNDS[upper - 1] / 1.0906, BOUNDS[upper] * 1.0906);
        assert!(low <= fine && fine <= high, "{q}: {coarse} and {fine}, not from {low} to {high}");
    }

    // Prometheus 2.42 takes one exemplar a scrape from a native histogram, and one a bucket from a classic one.
    for (prometheus, name, wanted) in
        [(&classic, "http_request_duration_seconds_bucket", 3), (&native, "http_request_duration_seconds", 1)]
    {
        let exemplars = prometheus.exemplars(&format!("{name}{{endpoint=\"/slow\"}}"), wanted);
        for id in &exemplars {
            assert!(traces.contains(id), "{id}");
            let exported = || spans.lock().unwrap().windows(16).any(|window| window == bytes(id));
            let found = (0..200).any(|_| {
                exported() || {
                    std::thread::sleep(std::time::Duration::from_millis(50));
                    false
                }
            });
            assert!(found, "{id} was not exported");
        }
        prometheus.assert_content();
    }
}
