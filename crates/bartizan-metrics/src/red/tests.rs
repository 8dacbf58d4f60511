mod exemplars;
mod grpc;
mod known;
mod labels;
mod recorders;

use std::convert::Infallible;
use std::future::{Ready, pending, ready};
use std::sync::Arc;

use bartizan_core::{ObserveLayer, Route, Routes, Settings};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::{Naming, RedLayer};
use crate::Store;

type Answer = Response<Full<Bytes>>;

fn page(store: &Store) -> String {
    String::from_utf8(store.page(&HeaderMap::new()).body.to_vec()).unwrap()
}

fn routed(layer: RedLayer) -> RedLayer {
    let routes =
        Routes::new().function(|parts| parts.uri.path().starts_with("/u/").then(|| Route::from("/u/{id}")));
    layer.settings(Settings { routes, ..Settings::default() })
}

fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(path).body(Full::new(Bytes::new())).unwrap()
}

fn respond<B>(_: Request<B>) -> Ready<Result<Answer, Infallible>> {
    ready(Ok(Response::new(Full::new(Bytes::from_static(b"ten bytes!")))))
}

async fn send(layer: &RedLayer, request: Request<Full<Bytes>>) {
    let response = layer.layer(service_fn(respond)).oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
}

#[tokio::test]
async fn an_exchange_is_one_sample_in_each_series() {
    let store = Store::new();
    send(&routed(RedLayer::new().recorder(store.clone())), get("/u/7")).await;
    let page = page(&store);
    for line in [
        r#"http_requests_total{endpoint="/u/{id}",method="GET",outcome="ok",status="200"} 1"#,
        r#"http_request_duration_seconds_count{endpoint="/u/{id}",method="GET",status="200"} 1"#,
        r#"http_requests_in_flight{endpoint="/u/{id}",method="GET"} 0"#,
        r#"http_request_size_bytes_count{endpoint="/u/{id}",method="GET"} 1"#,
        r#"http_response_size_bytes_sum{endpoint="/u/{id}",method="GET"} 10"#,
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
}

#[tokio::test]
async fn the_gauge_is_up_until_the_body_ends_or_is_dropped() {
    let store = Store::new();
    let layer = RedLayer::new().recorder(store.clone());
    let in_flight = |store: &Store, n: u8| {
        let line = format!("http_requests_in_flight{{endpoint=\"unmatched\",method=\"GET\"}} {n}\n");
        assert!(page(store).contains(&line), "{}", page(store));
    };
    let response = layer.layer(service_fn(respond)).oneshot(get("/")).await.unwrap();
    in_flight(&store, 1);
    drop(response);
    in_flight(&store, 0);

    let mut never = layer.layer(service_fn(|_| pending::<Result<Answer, Infallible>>()));
    let future = never.call(get("/"));
    in_flight(&store, 1);
    drop(future);
    in_flight(&store, 0);
    let cancelled = r#"{endpoint="unmatched",method="GET",outcome="cancelled_before_head",status="499"} 1"#;
    assert!(page(&store).contains(cancelled), "{}", page(&store));
}

#[tokio::test]
async fn unknown_methods_and_paths_share_one_series() {
    let store = Store::new();
    let layer = RedLayer::new().recorder(store.clone());
    for n in 0..50 {
        let mut request = get(&format!("/{n}"));
        *request.method_mut() = Method::from_bytes(format!("BREW{n}").as_bytes()).unwrap();
        send(&layer, request).await;
    }
    let line = r#"http_requests_total{endpoint="unmatched",method="_OTHER",outcome="ok",status="200"} 50"#;
    assert!(page(&store).contains(line), "{}", page(&store));
}

#[tokio::test]
async fn past_the_cap_an_exchange_goes_to_overflow_and_is_counted() {
    let store = Store::new();
    let routes = Routes::new().function(|parts| Some(Route::from(Arc::<str>::from(parts.uri.path()))));
    let red = RedLayer::new().recorder(store.clone()).max_series(10).observer();
    let layer = ObserveLayer::with_settings(red, Settings { routes, ..Settings::default() });
    for n in 0..1_000 {
        let response = layer.layer(service_fn(respond)).oneshot(get(&format!("/{n}"))).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
    let page = page(&store);
    let requests = |line: &&str| line.starts_with("http_requests_total{");
    assert_eq!(page.lines().filter(requests).count(), 11, "{page}");
    assert!(page.contains(r#"{endpoint="overflow",method="GET",outcome="ok",status="200"} 990"#), "{page}");
    assert!(page.contains(r#"bartizan_series_overflow_total{metric="http_requests_total"} 990"#), "{page}");
}

#[tokio::test]
async fn opentelemetry_names_carry_the_conventions_attributes() {
    let store = Store::new();
    send(&routed(RedLayer::new().recorder(store.clone()).naming(Naming::OpenTelemetry)), get("/u/7")).await;
    let page = page(&store);
    let labels = r#"http_request_method="GET",http_response_status_code="200",http_route="/u/{id}",network_protocol_version="1.1",url_scheme="http""#;
    for line in [
        format!("http_server_request_duration_seconds_count{{{labels}}} 1"),
        format!("http_server_response_body_size_bytes_sum{{{labels}}} 10"),
        r#"http_server_active_requests{http_request_method="GET",url_scheme="http"} 0"#.to_owned(),
    ] {
        assert!(page.contains(&line), "{line}\n{page}");
    }
}

#[test]
fn a_layer_built_before_the_recorder_records_into_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let layer = RedLayer::new();
    // Nobody listens: nothing is kept, and the handles of that time are not used later.
    runtime.block_on(send(&layer, get("/")));
    let (first, second) = (Store::new(), Store::new());
    metrics::with_local_recorder(&first, || runtime.block_on(send(&layer, get("/"))));
    metrics::with_local_recorder(&second, || runtime.block_on(send(&layer, get("/"))));
    for store in [first, second] {
        assert!(page(&store).contains(r#"outcome="ok",status="200"} 1"#), "{}", page(&store));
    }
}
