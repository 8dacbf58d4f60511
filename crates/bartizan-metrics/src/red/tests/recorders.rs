//! Recorders of others.

use metrics_exporter_prometheus::PrometheusBuilder;
use metrics_util::layers::FanoutBuilder;

use super::*;

const COUNTED: &str = r#"http_requests_total{method="GET",endpoint="unmatched",status="200",outcome="ok"} 1"#;

#[tokio::test]
async fn another_recorder_gets_the_same_series() {
    let builder = PrometheusBuilder::new().set_buckets(&[0.1, 1.0, 10.0]).unwrap();
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    send(&RedLayer::new().recorder(recorder), get("/")).await;
    let page = handle.render();
    for line in [
        COUNTED,
        r#"http_request_duration_seconds_bucket{method="GET",endpoint="unmatched",status="200",le="+Inf"} 1"#,
        r#"http_requests_in_flight{method="GET",endpoint="unmatched"} 0"#,
        r#"http_response_size_bytes_sum{method="GET",endpoint="unmatched"} 10"#,
        "# HELP http_requests_total Requests, by how they ended.",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
}

#[test]
fn an_installed_recorder_is_used_without_being_named() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(send(&RedLayer::new(), get("/"))));
    assert!(handle.render().contains(COUNTED), "{}", handle.render());
}

#[test]
fn a_store_in_a_fan_out_keeps_exemplars() {
    let (store, other) = (Store::new(), PrometheusBuilder::new().build_recorder());
    let handle = other.handle();
    let both = FanoutBuilder::default().add_recorder(other).add_recorder(store.clone()).build();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let red = RedLayer::new().observer();
    let shown = metrics::with_local_recorder(&both, || runtime.block_on(exemplars::of_sampled(&store, red)));
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert!(handle.render().contains(COUNTED), "{}", handle.render());
    assert!(page(&store).contains("http_request_duration_seconds_count"), "{}", page(&store));
}
