//! The application's own metrics over the wire: handles, timers, business metrics, the token, the listener of its own.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod process;

use std::net::SocketAddr;

use process::{Service, fetch};
use serde_json::{Value, json};

const JSON: (&str, &str) = ("content-type", "application/json");

/// The value of the one sample of this line's beginning.
fn value(page: &str, start: &str) -> f64 {
    let mut lines = page.lines().filter(|line| line.starts_with(start));
    let line = lines.next().unwrap_or_else(|| panic!("no {start} in\n{page}"));
    assert!(lines.next().is_none(), "more than one {start}");
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Whether a number is this whole one.
fn is(value: f64, whole: u32) -> bool {
    (value - f64::from(whole)).abs() < 1e-9
}

#[test]
fn counters_timers_and_business_metrics_are_on_the_page() {
    let service = Service::start(&[]);
    for body in [r#"{"item":"lamp"}"#, r#"{"gift":true}"#, r#"{"gift":true}"#] {
        assert_eq!(service.send("POST", "/orders", &[JSON], body).status, 201);
    }
    assert_eq!(service.send("GET", "/orders/7", &[], "").status, 200);
    assert_eq!(service.send("GET", "/orders/0", &[], "").status, 404);

    let document = service.send("GET", "/metrics/business", &[], "");
    assert_eq!(document.header("content-type").as_deref(), Some("application/json"));
    let document: Value = serde_json::from_str(&document.body).unwrap();
    assert_eq!(document["metrics"], json!({ "orders": { "open": 3 } }));
    assert_eq!(document["errors"], json!({}));
    assert!(document["timestamp"].as_str().unwrap().ends_with('Z'));

    let page = service.metrics();
    for (start, count) in [
        (r#"orders_placed_total{gift="true"} "#, 2),
        (r#"orders_placed_total{gift="false"} "#, 1),
        (r#"order_lookup_duration_seconds_count{outcome="success",store="memory"} "#, 1),
        (r#"order_lookup_duration_seconds_count{outcome="error",store="memory"} "#, 1),
        ("business_orders_open ", 3),
        (r#"bartizan_business_collector_up{collector="orders"} "#, 1),
        (r#"build_info{service="quickstart",version="#, 1),
        ("target_info{", 1),
    ] {
        assert!(is(value(&page, start), count), "{start} is not {count} in\n{page}");
    }
    assert!(page.contains(r#"service_name="quickstart""#), "{page}");
}

#[test]
fn the_page_tells_of_the_process_and_its_runtime() {
    let service = Service::start(&[]);
    let page = service.metrics();
    let resident = value(&page, "process_resident_memory_bytes ");
    let kernel = service.resident_kib() as f64 * 1024.0;
    assert!((resident - kernel).abs() < kernel / 2.0, "{resident} {kernel}");
    for name in ["process_cpu_seconds_total ", "process_open_fds ", "process_threads ", "tokio_alive_tasks "]
    {
        assert!(value(&page, name) >= 0.0, "{name}");
    }
    assert!(value(&page, "tokio_workers ") >= 1.0);
    assert!(value(&page, "tokio_workers_busy_seconds_total ") > 0.0);
}

#[test]
fn health_results_are_on_the_page() {
    let service = Service::start(&[]);
    service.send("GET", "/health/ready", &[], "");
    let page = service.metrics();
    assert!(is(value(&page, r#"health_check_status{check="orders"} "#), 1));
    assert!(is(value(&page, r#"health_check_duration_seconds_count{check="orders"} "#), 1));
}

#[test]
fn with_a_token_only_its_bearer_is_answered_and_it_is_told_nowhere() {
    let token = "planted-metrics-token";
    let secrets = "api_key=planted-attribute,team=shop";
    let service = Service::start(&[("METRICS_TOKEN", token), ("OTEL_RESOURCE_ATTRIBUTES", secrets)]);
    for path in ["/metrics", "/metrics/business"] {
        let refused = service.send("GET", path, &[], "");
        assert_eq!((refused.status, refused.header("www-authenticate").as_deref()), (401, Some("Bearer")));
        assert_eq!(
            service.send("GET", path, &[("authorization", "Bearer planted-metrics-toke")], "").status,
            401
        );
    }
    let bearer = format!("Bearer {token}");
    let page = service.send("GET", "/metrics", &[("authorization", &bearer)], "");
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains(r#"api_key="[REDACTED]""#) && page.body.contains(r#"team="shop""#),
        "{}",
        page.body
    );
    let head = service.send("HEAD", "/metrics", &[("authorization", &bearer)], "");
    assert_eq!((head.status, &*head.body), (200, ""));
    let config = service.send("GET", "/observability/config", &[], "");
    for text in [&page.body, &config.body, &service.log()] {
        assert!(!text.contains("planted"), "{text}");
    }
}

#[test]
fn a_listener_of_its_own_takes_the_pages_from_the_application() {
    let service = Service::start(&[("METRICS_PORT", "0")]);
    let line = service.wait_for_line(|line| line["message"] == "metrics listening");
    let address: SocketAddr = line["address"].as_str().unwrap().parse().unwrap();
    assert!(address.ip().is_loopback());
    assert_eq!(service.send("GET", "/orders/7", &[], "").status, 200);
    for path in ["/metrics", "/metrics/business"] {
        assert_eq!(service.send("GET", path, &[], "").status, 404, "{path}");
    }
    let page = fetch(address, "/metrics").unwrap();
    assert!(page.contains(r#"http_requests_total{endpoint="/orders/{id}""#), "{page}");
    assert!(fetch(address, "/metrics/business").unwrap().contains(r#""orders":{"open":0}"#));
    assert_eq!(fetch(address, "/orders/7").unwrap(), "");
}

#[test]
fn settings_that_cannot_be_used_are_named_at_the_start() {
    for (name, value) in
        [("METRICS_PORT", "nine"), ("METRICS_HOST", "localhost"), ("ENABLE_METRICS", "perhaps")]
    {
        let (code, said) = Service::fail(&[(name, value)]);
        assert_ne!(code, Some(0));
        assert!(said.contains(name) && said.contains(value), "{said}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, said) = Service::fail(&[("METRICS_PORT", &port), ("METRICS_TOKEN", "planted")]);
    assert_ne!(code, Some(0));
    assert!(said.contains(&port) && said.contains("METRICS_PORT") && !said.contains("planted"), "{said}");
}

#[test]
fn off_there_is_nothing_and_nothing_breaks() {
    let service = Service::start(&[("ENABLE_METRICS", "false"), ("METRICS_PORT", "0")]);
    assert_eq!(service.send("POST", "/orders", &[JSON], "{}").status, 201);
    assert_eq!(service.send("GET", "/orders/7", &[], "").status, 200);
    for path in ["/metrics", "/metrics/business"] {
        let answer = service.send("GET", path, &[], "");
        assert_eq!(answer.status, 404);
        assert!(answer.body.contains("ENABLE_METRICS"), "{}", answer.body);
    }
}
