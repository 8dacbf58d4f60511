//! Series that begin at zero.

use super::*;

#[tokio::test]
async fn known_routes_are_at_zero_before_the_first_request() {
    let store = Store::new();
    // The order of the settings does not matter.
    let layer = RedLayer::new()
        .known_routes([(Method::GET, "/u/{id}"), (Method::POST, "/u")])
        .known_grpc_methods(["/shop.Orders/Get"])
        .recorder(store.clone());
    assert!(!page(&store).contains("http_requests_total{"), "nothing uses the layer yet");
    let layer = routed(layer);
    let service = layer.layer(service_fn(respond));
    for line in [
        r#"http_requests_total{endpoint="/u/{id}",method="GET",outcome="ok",status="200"} 0"#,
        r#"http_requests_total{endpoint="/u/{id}",method="GET",outcome="server_error",status="500"} 0"#,
        r#"http_requests_total{endpoint="/u",method="POST",outcome="ok",status="200"} 0"#,
        r#"http_request_duration_seconds_count{endpoint="/u",method="POST",status="500"} 0"#,
        r#"http_requests_in_flight{endpoint="/u/{id}",method="GET"} 0"#,
        r#"grpc_server_started_total{grpc_method="Get",grpc_service="shop.Orders",grpc_type="unknown"} 0"#,
        r#"grpc_server_handled_total{grpc_code="OK",grpc_method="Get",grpc_service="shop.Orders",grpc_type="unknown",outcome="ok"} 0"#,
        r#"grpc_server_handled_total{grpc_code="INTERNAL",grpc_method="Get",grpc_service="shop.Orders",grpc_type="unknown",outcome="server_error"} 0"#,
    ] {
        assert!(page(&store).lines().any(|other| other == line), "{line}\n{}", page(&store));
    }
    let response = service.oneshot(get("/u/7")).await.unwrap();
    response.into_body().collect().await.unwrap();
    let counted = r#"http_requests_total{endpoint="/u/{id}",method="GET",outcome="ok",status="200"} 1"#;
    assert!(page(&store).contains(counted), "{}", page(&store));
}

#[test]
fn without_a_recorder_they_are_there_from_the_first_request_on() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let layer = RedLayer::new().known_routes([(Method::PUT, "/other")]);
    let store = Store::new();
    metrics::with_local_recorder(&store, || runtime.block_on(send(&layer, get("/"))));
    let line = r#"http_requests_total{endpoint="/other",method="PUT",outcome="ok",status="200"} 0"#;
    assert!(page(&store).contains(line), "{}", page(&store));
}

#[tokio::test]
async fn opentelemetry_names_begin_at_zero_too() {
    let store = Store::new();
    let layer = RedLayer::new()
        .recorder(store.clone())
        .naming(Naming::OpenTelemetry)
        .known_routes([(Method::GET, "/u/{id}")]);
    let _ = layer.observer();
    let labels =
        r#"error_type="500",http_request_method="GET",http_response_status_code="500",http_route="/u/{id}""#;
    let line = format!("http_server_request_duration_seconds_count{{{labels}");
    assert!(page(&store).contains(&line), "{}", page(&store));
}
