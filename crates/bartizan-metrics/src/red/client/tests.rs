use std::future::ready;
use std::io;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::ClientRedLayer;
use crate::{Naming, Store};

fn page(store: &Store) -> String {
    String::from_utf8(store.page(&HeaderMap::new()).body.to_vec()).unwrap()
}

fn assert_has(store: &Store, line: &str) {
    let page = page(store);
    assert!(page.lines().any(|found| found == line), "{line}\n{page}");
}

fn to(url: &str) -> Request<Full<Bytes>> {
    Request::get(url).body(Full::new(Bytes::new())).unwrap()
}

fn grpc(url: &str) -> Request<Full<Bytes>> {
    let mut request = to(url);
    request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    request
}

async fn call(layer: &ClientRedLayer, request: Request<Full<Bytes>>, status: u16) {
    let answer = move |_: Request<_>| {
        let response = Response::builder().status(status).body(Full::new(Bytes::from_static(b"x"))).unwrap();
        ready(Ok::<_, io::Error>(response))
    };
    let response = layer.layer(service_fn(answer)).oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
}

async fn fail(layer: &ClientRedLayer, request: Request<Full<Bytes>>, kind: io::ErrorKind) {
    let answer = move |_: Request<Full<Bytes>>| {
        ready(Err::<Response<Full<Bytes>>, _>(io::Error::new(kind, "planted text")))
    };
    layer.layer(service_fn(answer)).oneshot(request).await.unwrap_err();
}

#[tokio::test]
async fn calls_are_counted_by_address_status_and_what_failed() {
    let store = Store::new();
    let layer = ClientRedLayer::new().recorder(store.clone());
    call(&layer, to("http://ada:hunter2@stock:8080/items/7?q=1"), 404).await;
    fail(&layer, to("https://pay.example/"), io::ErrorKind::ConnectionRefused).await;
    for line in [
        r#"http_client_requests_total{error_type="404",method="GET",outcome="client_error",server_address="stock:8080",status="404"} 1"#,
        r#"http_client_request_duration_seconds_count{method="GET",server_address="stock:8080",status="404"} 1"#,
        r#"http_client_requests_total{error_type="connection_refused",method="GET",outcome="service_error",server_address="pay.example",status="none"} 1"#,
    ] {
        assert_has(&store, line);
    }
    assert!(!page(&store).contains("planted") && !page(&store).contains("hunter2"));
}

#[tokio::test]
async fn grpc_calls_have_service_method_and_code() {
    let store = Store::new();
    let layer = ClientRedLayer::new().recorder(store.clone());
    call(&layer, grpc("http://stock:50051/shop.Stock/Take"), 200).await;
    assert_has(
        &store,
        r#"grpc_client_handled_total{error_type="UNKNOWN",grpc_code="UNKNOWN",grpc_method="Take",grpc_service="shop.Stock",outcome="server_error",server_address="stock:50051"} 1"#,
    );
}

#[tokio::test]
async fn a_grpc_call_without_an_answer_or_given_up_late_says_why() {
    let store = Store::new();
    let layer = ClientRedLayer::new().recorder(store.clone());
    fail(&layer, grpc("http://stock/shop.Stock/Take"), io::ErrorKind::ConnectionRefused).await;
    let mut late = grpc("http://stock/shop.Stock/Take");
    late.headers_mut().insert("grpc-timeout", "1n".parse().unwrap());
    let never = |_: Request<_>| std::future::pending::<Result<Response<Full<Bytes>>, io::Error>>();
    drop(layer.layer(service_fn(never)).call(late));
    for line in [
        r#"grpc_client_handled_total{error_type="connection_refused",grpc_code="UNAVAILABLE",grpc_method="Take",grpc_service="shop.Stock",outcome="service_error",server_address="stock"} 1"#,
        r#"grpc_client_handled_total{error_type="DEADLINE_EXCEEDED",grpc_code="DEADLINE_EXCEEDED",grpc_method="Take",grpc_service="shop.Stock",outcome="cancelled_before_head",server_address="stock"} 1"#,
    ] {
        assert_has(&store, line);
    }
}

#[tokio::test]
async fn the_conventions_have_names_of_their_own() {
    let store = Store::new();
    let layer = ClientRedLayer::new().naming(Naming::OpenTelemetry).recorder(store.clone());
    call(&layer, to("https://stock.example/items"), 503).await;
    call(&layer, grpc("http://[::1]:50051/shop.Stock/Take"), 200).await;
    for line in [
        r#"http_client_request_duration_seconds_count{error_type="503",http_request_method="GET",http_response_status_code="503",network_protocol_version="1.1",server_address="stock.example",server_port="443"} 1"#,
        r#"rpc_client_call_duration_seconds_count{error_type="UNKNOWN",rpc_method="shop.Stock/Take",rpc_response_status_code="UNKNOWN",rpc_system_name="grpc",server_address="[::1]",server_port="50051"} 1"#,
    ] {
        assert_has(&store, line);
    }
}

#[tokio::test]
async fn past_the_cap_addresses_are_one_series_that_is_counted() {
    let store = Store::new();
    let layer = ClientRedLayer::new().max_servers(2).recorder(store.clone());
    for host in ["a", "b", "c", "d", "a", &"x".repeat(300)] {
        call(&layer, to(&format!("http://{host}/")), 200).await;
    }
    for line in [
        r#"http_client_requests_total{method="GET",outcome="ok",server_address="a",status="200"} 2"#,
        r#"http_client_requests_total{method="_OTHER",outcome="ok",server_address="overflow",status="200"} 3"#,
        r#"bartizan_series_overflow_total{metric="http_client_requests_total"} 3"#,
    ] {
        assert_has(&store, line);
    }
}

#[tokio::test]
async fn past_the_cap_on_series_too() {
    let store = Store::new();
    let layer = ClientRedLayer::new().max_series(2).recorder(store.clone());
    for status in [200, 201, 202, 203, 200] {
        call(&layer, to("http://a/"), status).await;
    }
    assert_has(
        &store,
        r#"http_client_requests_total{method="_OTHER",outcome="ok",server_address="overflow",status="200"} 2"#,
    );
}
