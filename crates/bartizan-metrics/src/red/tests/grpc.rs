use bartizan_core::Outcome;

use super::*;

const CODES: [&str; 3] = ["0", "5", "13"];

/// A service that answers every call with this code, in a head without a body.
async fn call(layer: &RedLayer, path: &str, code: &'static str) {
    let service = layer.layer(service_fn(move |_| {
        let response = Response::builder().header("grpc-status", code).body(Full::new(Bytes::new()));
        ready(Ok::<_, Infallible>(response.unwrap()))
    }));
    let request =
        Request::post(path).header("content-type", "application/grpc").body(Full::new(Bytes::new()));
    service.oneshot(request.unwrap()).await.unwrap().into_body().collect().await.unwrap();
}

#[tokio::test]
async fn calls_have_the_classic_family_and_are_no_http_requests() {
    let store = Store::new();
    let layer = RedLayer::new().recorder(store.clone());
    for code in CODES {
        call(&layer, "/shop.v1.Orders/Get", code).await;
    }
    let page = page(&store);
    let method = r#"grpc_method="Get",grpc_service="shop.v1.Orders",grpc_type="unknown""#;
    for line in [
        format!("grpc_server_started_total{{{method}}} 3"),
        r#"grpc_server_handled_total{grpc_code="OK",grpc_method="Get",grpc_service="shop.v1.Orders",grpc_type="unknown",outcome="ok"} 1"#.to_owned(),
        r#"grpc_server_handled_total{grpc_code="NOT_FOUND",grpc_method="Get",grpc_service="shop.v1.Orders",grpc_type="unknown",outcome="client_error"} 1"#.to_owned(),
        r#"grpc_server_handled_total{grpc_code="INTERNAL",grpc_method="Get",grpc_service="shop.v1.Orders",grpc_type="unknown",outcome="server_error"} 1"#.to_owned(),
        format!("grpc_server_handling_seconds_count{{{method}}} 3"),
        format!("grpc_server_msg_received_total{{{method}}} 0"),
        format!("grpc_server_in_flight{{{method}}} 0"),
        // The first call began before its method was known.
        r#"grpc_server_in_flight{grpc_method="_OTHER",grpc_service="_OTHER",grpc_type="unknown"} 0"#.to_owned(),
        r#"grpc_server_started_total{grpc_method="_OTHER",grpc_service="_OTHER",grpc_type="unknown"} 0"#.to_owned(),
    ] {
        assert!(page.contains(&line), "{line}\n{page}");
    }
    assert!(!page.contains("http_requests_total{"), "{page}");
}

#[tokio::test]
async fn opentelemetry_has_the_call_duration() {
    let store = Store::new();
    let layer = RedLayer::new().recorder(store.clone()).naming(Naming::OpenTelemetry);
    for code in CODES {
        call(&layer, "/shop.v1.Orders/Get", code).await;
    }
    call(&layer, "/made.up/Method", "12").await;
    let page = page(&store);
    let known = r#"rpc_method="shop.v1.Orders/Get""#;
    for line in [
        format!(r#"rpc_server_call_duration_seconds_count{{{known},rpc_response_status_code="OK",rpc_system_name="grpc"}} 1"#),
        format!(r#"rpc_server_call_duration_seconds_count{{{known},rpc_response_status_code="NOT_FOUND",rpc_system_name="grpc"}} 1"#),
        format!(r#"rpc_server_call_duration_seconds_count{{error_type="INTERNAL",{known},rpc_response_status_code="INTERNAL",rpc_system_name="grpc"}} 1"#),
        r#"rpc_server_call_duration_seconds_count{error_type="UNIMPLEMENTED",rpc_method="_OTHER",rpc_response_status_code="UNIMPLEMENTED",rpc_system_name="grpc"} 1"#.to_owned(),
        r#"rpc_server_active_calls{rpc_method="_OTHER",rpc_system_name="grpc"} 0"#.to_owned(),
    ] {
        assert!(page.contains(&line), "{line}\n{page}");
    }
    assert!(!page.contains("http_server_request_duration_seconds_count"), "{page}");
}

#[tokio::test]
async fn past_the_cap_calls_go_to_overflow_and_registered_methods_are_all_there_are() {
    let store = Store::new();
    let layer = RedLayer::new().recorder(store.clone()).max_series(10);
    for n in 0..100 {
        call(&layer, &format!("/a.B/M{n}"), "0").await;
    }
    let text = page(&store);
    let overflow = r#"grpc_method="overflow",grpc_service="overflow",grpc_type="unknown",outcome="ok"} 90"#;
    assert!(text.contains(overflow), "{text}");
    assert!(
        text.contains(r#"bartizan_series_overflow_total{metric="grpc_server_handled_total"} 90"#),
        "{text}"
    );

    let store = Store::new();
    let routes = Routes::new().grpc_methods(["/a.B/C"]).unwrap();
    let layer = RedLayer::new().recorder(store.clone()).settings(Settings { routes, ..Settings::default() });
    call(&layer, "/a.B/C", "0").await;
    call(&layer, "/a.B/D", "0").await;
    let text = page(&store);
    for method in [r#"grpc_method="C""#, r#"grpc_method="_OTHER""#] {
        let ok = Outcome::Ok;
        let handled = |line: &&str| line.starts_with("grpc_server_handled_total") && line.contains(method);
        assert!(
            text.lines().find(handled).is_some_and(|line| line.contains(ok.as_str()) && line.ends_with(" 1"))
        );
    }
}
