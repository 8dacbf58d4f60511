//! The environment has the last word over what the code has set. One test a process: the stack is installed once.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bartizan::Observability;
use bartizan::core::PeerAddress;
use bartizan::trace::{Propagation, TraceSettings};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::{Layer, ServiceExt, service_fn};

use support::Sink;

const VARIABLES: [(&str, &str); 13] = [
    ("ENVIRONMENT", "staging"),
    ("ENABLE_METRICS", "on"),
    ("METRICS_PORT", "0"),
    ("CORRELATION_ENABLED", "false"),
    ("OTEL_PROPAGATORS", "b3"),
    ("OTEL_SERVICE_NAME", "shop-eu"),
    ("TRUSTED_PROXIES", "10.0.0.0/8"),
    ("HEALTH_TOKEN", "opens"),
    ("LOG_FORMAT", "json"),
    ("GRAFANA_URL", "https://grafana.example.com"),
    ("PROMETHEUS_URL", "https://prometheus.example.com"),
    ("ALERTMANAGER_URL", "https://alerts.example.com"),
    ("FLOWER_URL", "https://tasks.example.com"),
];

async fn send(app: &Router, path: &str, headers: &[(&'static str, &'static str)]) -> (HeaderMap, Value) {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    request.headers_mut().extend(
        headers.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        }),
    );
    request.extensions_mut().insert(PeerAddress("10.0.0.1:1".parse().unwrap()));
    let (head, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.headers, serde_json::from_slice(&body).unwrap_or_default())
}

/// The headers with which a call of this stack goes out.
async fn sent(stack: &Observability) -> HeaderMap {
    let peer = service_fn(|request: Request<Body>| async move {
        let mut response = Response::new(Body::empty());
        *response.headers_mut() = request.headers().clone();
        Ok::<_, Infallible>(response)
    });
    let call = Request::get("http://stock/").body(Body::empty()).unwrap();
    stack.client_layer().layer(peer).oneshot(call).await.unwrap().headers().clone()
}

#[tokio::test]
async fn what_operators_set_replaces_what_the_code_has_set() {
    let sink = Sink::default();
    let read =
        |asked: &str| VARIABLES.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned());
    let stack = Observability::builder("shop")
        .vars(read)
        .environment("code")
        .log(|log| log.filter("warn,bartizan=info,variables=debug"))
        .log_sink(sink.clone())
        .trace(TraceSettings::new().customize(|provider| provider))
        .trace_layer(|layer| layer.propagation(Propagation::new().untrusted()))
        .health_endpoints(|health| health.base_path("/-/state"))
        .init()
        .unwrap();
    // A failure is told as usual, not in the log.
    let _ = std::panic::take_hook();
    stack.health().register("database", || async { Ok::<_, Infallible>(()) }).unwrap();
    let handler = get(async |stack: axum::extract::State<Observability>| {
        tracing::debug!("at work");
        let sent = sent(&stack).await;
        axum::Json(json!(["b3", "traceparent"].map(|name| sent.contains_key(name))))
    });
    let app: Router = Router::new()
        .route("/", handler.with_state(stack.clone()))
        .layer(stack.layer())
        .merge(stack.routes());

    let (_, config) = send(&app, "/observability/config", &[]).await;
    assert_eq!((&config["service"], &config["environment"]), (&json!("shop-eu"), &json!("staging")));
    assert_eq!(config["correlation"], json!({ "enabled": false }));
    assert_eq!(config["metrics"], json!({ "enabled": true, "own_listener": true }));

    // Only who has the token sees which checks there are; the base is where the code has put it.
    let (_, hidden) = send(&app, "/-/state", &[]).await;
    let (_, shown) = send(&app, "/-/state", &[("authorization", "Bearer opens")]).await;
    assert_eq!((&hidden["checks"], &shown["checks"][0]["name"]), (&json!([]), &json!("database")));
    assert_eq!(send(&app, "/health", &[]).await.1, Value::Null);
    let tools = json!({
        "grafana": "https://grafana.example.com",
        "prometheus": "https://prometheus.example.com",
        "alertmanager": "https://alerts.example.com",
        "tasks": "https://tasks.example.com",
    });
    assert_eq!(send(&app, "/-/state/tools", &[]).await.1, tools);

    // Strangers are not believed, as the code has it; the format is the operator's.
    let b3 = ("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1");
    let (headers, written) = send(&app, "/", &[b3, ("x-forwarded-for", "203.0.113.9")]).await;
    assert_eq!(written, json!([true, false]));
    assert!(!headers.contains_key("x-correlation-id"));
    assert_ne!(headers["x-trace-id"], "4bf92f3577b34da6a3ce929d0e0e4736");

    // On a listener of their own, the pages are nowhere else, on any host.
    let rest =
        service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::from("rest"))) });
    let host = stack.metrics_endpoint().clone().layer().layer(rest);
    let page = host.oneshot(Request::get("/metrics").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(page.into_body().collect().await.unwrap().to_bytes(), "rest");
    let served = tokio::spawn({
        let stack = stack.clone();
        async move { stack.serve_metrics().await }
    });
    let mut stream = tokio::net::TcpStream::connect(stack.metrics_address().unwrap()).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").await.unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).await.unwrap();
    assert!(page.contains(r#"build_info{service="shop-eu""#), "{page}");
    assert!(page.contains(r#"service_name="shop-eu""#), "{page}");
    served.abort();

    tokio::time::timeout(Duration::from_secs(20), stack.shutdown()).await.unwrap().unwrap();
    let lines = sink.text();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let find = |message: &str| lines.iter().find(|line| line["message"] == message);
    let started = find("service started").unwrap();
    assert_eq!(
        (&started["environment"], &started["on"]),
        (&json!("staging"), &json!("log,health,metrics,trace"))
    );
    assert_eq!(find("request completed").unwrap()["client_address"], "203.0.113.9");
    assert!(find("at work").is_some(), "the code's filter stands where no variable is set");
}
