//! A real Prometheus scrapes the service, and `promtool` finds nothing to complain about.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod formats;
mod histograms;
mod own;
mod parsers;
#[path = "../process/mod.rs"]
mod process;
mod proxy;
mod server;

use std::io::Write;
use std::process::{Command, Stdio};

use process::Service;
use server::{Prometheus, installed};

#[test]
fn prometheus_scrapes_the_service_and_reads_what_it_counted() {
    if !installed("prometheus") {
        return;
    }
    let service = Service::start(&[]);
    for _ in 0..7 {
        assert_eq!(service.send("GET", "/orders/1", &[], "").status, 200);
    }
    service.send("GET", "/stream?chunks=5&ms=20", &[], "");
    let prometheus = Prometheus::scraping(service.address, "");
    prometheus.wait_for("up", |up| (up - 1.0).abs() < f64::EPSILON);
    let counted = prometheus.wait_for("http_requests_total{endpoint=\"/orders/{id}\"}", |n| n > 0.0);
    assert!((counted - 7.0).abs() < f64::EPSILON);
    let slow = "histogram_quantile(0.5,http_request_duration_seconds_bucket{endpoint=\"/stream\"})";
    assert!(prometheus.wait_for(slow, f64::is_finite) >= 0.1);
    service.send("GET", "/health/ready", &[], "");
    prometheus
        .wait_for("health_check_status{check=\"orders\"}", |status| (status - 1.0).abs() < f64::EPSILON);
}

#[test]
fn promtool_finds_nothing_to_complain_about() {
    if !installed("promtool") {
        return;
    }
    let service = Service::start(&[]);
    for path in ["/orders/1", "/fail", "/nowhere", "/health/ready"] {
        service.send("GET", path, &[], "");
    }
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(service.metrics().as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}

#[test]
fn the_page_is_text_or_openmetrics_as_asked_and_compressed_if_asked() {
    let service = Service::start(&[]);
    let page = service.send("GET", "/metrics", &[], "");
    assert_eq!(page.header("content-type").as_deref(), Some("text/plain; version=0.0.4; charset=utf-8"));
    let page =
        service.send("GET", "/metrics", &[("accept", "application/openmetrics-text; version=1.0.0")], "");
    let kind = page.header("content-type");
    assert_eq!(kind.as_deref(), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(page.body.ends_with("# EOF\n"));
    let head = service.send("HEAD", "/metrics", &[("accept", "application/openmetrics-text")], "");
    assert_eq!((head.status, head.header("content-type"), head.body.as_str()), (200, kind, ""));
    let page = service.send("GET", "/metrics", &[("accept-encoding", "gzip")], "");
    assert_eq!(page.header("content-encoding").as_deref(), Some("gzip"));
}
