//! Every format of the page, read by Prometheus.

use crate::process::Service;
use crate::proxy::Proxy;
use crate::server::{Prometheus, installed};

/// The headers of scrapers that are not here, and the type that they get.
const PROMETHEUS_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
     application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
     text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

/// Lets Prometheus scrape, with its own `accept` or with this one, and tells what it asked for.
fn scrape(features: &str, accept: Option<&'static str>, content_type: &str) -> Option<String> {
    if !installed("prometheus") {
        return None;
    }
    let service = Service::start(&[]);
    for _ in 0..7 {
        assert_eq!(service.send("GET", "/orders/1", &[], "").status, 200);
    }
    service.send("GET", "/fail", &[], "");
    let proxy = Proxy::before(service.address, accept);
    let prometheus = Prometheus::scraping(proxy.address, features);
    prometheus.wait_for("up", |up| (up - 1.0).abs() < f64::EPSILON);
    let counted = prometheus.wait_for("http_requests_total{endpoint=\"/orders/{id}\"}", |n| n > 0.0);
    assert!((counted - 7.0).abs() < f64::EPSILON);
    prometheus.wait_for("count_over_time(up[1h])", |scrapes| scrapes >= 5.0);
    assert!(prometheus.wait_for("min_over_time(up[1h])", |_| true) > 0.5);
    prometheus.assert_content();
    let last = proxy.last();
    assert_eq!((last.content_type.as_str(), last.content_encoding.as_str()), (content_type, "gzip"));
    Some(last.accept)
}

#[test]
fn prometheus_reads_openmetrics_as_it_asks_for_it() {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    if let Some(accept) = scrape("", None, content_type) {
        assert!(accept.starts_with("application/openmetrics-text;version=1.0.0"), "{accept}");
    }
}

#[test]
fn prometheus_reads_protobuf_as_it_asks_for_it() {
    let content_type =
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
    if let Some(accept) = scrape("native-histograms", None, content_type) {
        assert!(accept.starts_with("application/vnd.google.protobuf;"), "{accept}");
    }
}

#[test]
fn prometheus_reads_text() {
    scrape("", Some("text/plain"), "text/plain; version=0.0.4; charset=utf-8");
}

#[test]
fn prometheus_reads_what_prometheus_3_asks_for() {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8";
    scrape("", Some(PROMETHEUS_3), content_type);
}
