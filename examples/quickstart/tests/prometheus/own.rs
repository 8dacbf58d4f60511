//! What the stack tells of itself.

use crate::process::Service;

#[test]
fn every_bound_that_can_be_hit_is_a_metric() {
    let service = Service::start(&[]);
    service.send("GET", "/orders/1?token=planted", &[], "");
    service.metrics();
    let page = service.metrics();
    let value = |name: &str| -> f64 {
        let line = page.lines().find(|line| line.split(' ').next() == Some(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in\n{page}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    // Series, and how long the last page took.
    assert!(value("bartizan_series") > 20.0);
    assert!(value("bartizan_scrape_duration_seconds") > 0.0);
    // Lost, cut or refused on the way, which nothing is here.
    for name in [
        "bartizan_native_histograms_refused_total",
        "bartizan_log_lines_dropped_total",
        "bartizan_log_lines_truncated_total",
        "bartizan_log_write_errors_total",
        "bartizan_spans_dropped_total",
        "bartizan_spans_failed_total",
        "bartizan_spans_waiting",
        "bartizan_bound_fields_dropped_total",
    ] {
        assert!(value(name).abs() < f64::EPSILON, "{name}");
    }
    assert!(page.contains("bartizan_series_overflow_total{metric=\"http_requests_total\"} 0\n"));
    assert!(value("bartizan_masked_fields_total") >= 1.0);
    // Whatever the README names is there, under that name.
    let readme = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md"));
    let named: Vec<_> = readme.split('`').filter(|word| word.starts_with("bartizan_")).collect();
    assert!(named.len() > 12, "{named:?}");
    for name in named.iter().filter(|name| name.ends_with("_total") || name.ends_with("_bytes")) {
        assert!(page.contains(&format!("\n# TYPE {name} ")), "no {name} in\n{page}");
    }
}
