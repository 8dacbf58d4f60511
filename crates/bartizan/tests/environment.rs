//! A process of its own, because a subscriber is global.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail, too")]

mod support;

use std::convert::Infallible;

use bartizan::Observability;
use bartizan::trace::Propagation;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

use support::Sink;

#[tokio::test]
async fn the_environment_has_the_last_word_and_what_is_off_is_told() {
    let lines = Sink::default();
    let stack = Observability::builder("environment")
        .vars(|name| match name {
            "CORRELATION_ENABLED" => Some("false".to_owned()),
            "OTEL_PROPAGATORS" => Some("b3".to_owned()),
            "OTEL_SERVICE_NAME" => Some("orders-canary".to_owned()),
            "OTEL_RESOURCE_ATTRIBUTES" => Some("deployment.environment.name=staging".to_owned()),
            _ => None,
        })
        .trace_layer(|layer| layer.propagation(Propagation::new()))
        .log_sink(lines.clone())
        .metrics(true)
        .init()
        .unwrap();

    let service = stack.layer().layer(service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    }));
    let request = Request::get("/").header("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1");
    let response = service.oneshot(request.body(Full::default()).unwrap()).await.unwrap();
    assert_eq!(response.headers()["x-trace-id"], "80f198ee56343ba864fe8b2a57d3eff7");

    assert!(!response.headers().contains_key("x-correlation-id"));
    assert_eq!(stack.config()["correlation"]["enabled"], false);
    // The resource of the spans, the start-up event and the metrics have one name for it.
    assert_eq!(stack.config()["service"], "orders-canary");
    assert_eq!(stack.config()["environment"], "staging");
    let page = stack.store().unwrap().page(&http::HeaderMap::new()).body;
    assert!(String::from_utf8_lossy(&page).contains(r#"build_info{service="orders-canary""#));
    stack.shutdown().await.unwrap();
    let text = lines.text();
    assert!(text.contains(r#""on":"log,health,metrics,trace context""#), "{text}");
}
