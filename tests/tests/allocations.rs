//! What each layer allocates over a bare router, exactly: a layer that gets dearer fails here.
//!
//! A request has eight headers and a query; the answer is a small JSON body. axum's own share for any layer (boxing the service,
//! its future and the new body: 3) is included. The log goes to a sink, spans to the SDK's batch processor.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::response::IntoResponse;
use axum::routing::get;
use bartizan::correlation::CorrelationLayer;
use bartizan::log::RequestLogLayer;
use bartizan::metrics::{RedLayer, Store};
use bartizan_tests::budget;
use http::{Request, request::Parts};
use http_body_util::BodyExt;
use tower::{Service, ServiceExt};

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const SAMPLED_OUT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

async fn user(Path(id): Path<u64>) -> impl IntoResponse {
    let _ = id;
    ([("content-type", "application/json")], r#"{"id":42,"name":"Ada Lovelace","role":"admin"}"#)
}

fn router() -> Router {
    Router::new()
        .route("/", get(|| async { "home" }))
        .route("/users/{id}", get(user))
        .route("/orders/{id}", get(user))
        .route("/about", get(|| async { "about" }))
}

/// The head of a request, with bytes that are shared, as hyper makes them.
fn head(traceparent: &'static str) -> Parts {
    let request = Request::get("/users/42?verbose=1")
        .header("host", "shop.example")
        .header("user-agent", "wrk/4.1")
        .header("accept", "application/json")
        .header("accept-encoding", "gzip")
        .header("accept-language", "en")
        .header("authorization", "Bearer 0123456789")
        .header("cookie", "session=0123456789")
        .header("traceparent", traceparent)
        .body(())
        .unwrap();
    let head = request.into_parts().0;
    // Bytes that were never cloned allocate once when they are.
    drop(head.clone());
    head
}

/// Allocations of one request in the steady state, building it and reading the answer included.
fn count(router: Router, traceparent: &'static str) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut service = router.into_service();
    let head = head(traceparent);
    budget::steady(|| {
        runtime.block_on(async {
            let request = Request::from_parts(head.clone(), Body::empty());
            let response = service.ready().await.unwrap().call(request).await.unwrap();
            assert_eq!(response.status(), 200);
            response.into_body().collect().await.unwrap();
        });
    })
}

#[test]
fn no_layer_allocates_more_than_its_budget() {
    let stack = budget::stack();
    let tracing = budget::dropped_spans().build().unwrap();
    let trace = || tracing.layer();
    let bare = count(router(), SAMPLED);
    let over = |router: Router, traceparent| count(router, traceparent) - bare;

    let measured = [
        ("correlation alone", over(router().layer(CorrelationLayer::new()), SAMPLED), 7),
        ("request log alone", over(router().layer(RequestLogLayer::new()), SAMPLED), 5),
        ("RED alone", over(router().layer(RedLayer::new().recorder(Store::new())), SAMPLED), 5),
        ("trace alone, sampled", over(router().layer(trace()), SAMPLED), 13),
        ("trace alone, sampled out", over(router().layer(trace()), SAMPLED_OUT), 6),
        ("the whole stack, sampled", over(router().layer(stack.layer()), SAMPLED), 16),
        ("the whole stack, sampled out", over(router().layer(stack.layer()), SAMPLED_OUT), 8),
    ];
    budget::hold(&measured);
}
