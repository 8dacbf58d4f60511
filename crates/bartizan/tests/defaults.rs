//! What the stack does where nobody sets anything. One test a process: the stack is installed once.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use axum::Router;
use axum::body::Body;
use bartizan::Observability;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

async fn get(app: &Router, path: &str) -> (u16, Value) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn metrics_and_export_are_off_ids_are_on_and_checks_are_nobodys_business() {
    let builder = || Observability::builder("shop").vars(|_| None).log_sink(std::io::sink());
    let stack = builder().init().unwrap();
    // A failure is told as usual, not in the log.
    let _ = std::panic::take_hook();
    stack.health().register("database", || async { Err::<(), _>("refused") }).unwrap();
    let app: Router = Router::new().layer(stack.layer()).merge(stack.routes());

    let config = get(&app, "/observability/config").await;
    let expected = json!({
        "service": "shop",
        "version": "",
        "environment": "development",
        "correlation": { "enabled": true },
        "logging": { "enabled": true },
        "metrics": { "enabled": false, "own_listener": false },
        "tracing": { "enabled": true, "exporting": false, "protocol": null },
        "health": { "enabled": true },
    });
    assert_eq!(config, (200, expected));
    assert!(stack.store().is_none() && !stack.metrics().is_on());
    assert_eq!(get(&app, "/metrics").await.0, 404);
    assert_eq!(get(&app, "/metrics/business").await.0, 404);

    let (status, health) = get(&app, "/health").await;
    assert_eq!((status, &health["status"], &health["checks"]), (200, &json!("unhealthy"), &json!([])));
    let tools = json!({ "grafana": null, "prometheus": null, "alertmanager": null, "tasks": null });
    assert_eq!(get(&app, "/health/tools").await, (200, tools));

    let answer = app.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    assert!(answer.headers().contains_key("x-correlation-id") && answer.headers().contains_key("x-trace-id"));

    let again = builder().init().unwrap_err().to_string();
    assert!(again.contains("installed already"), "{again}");
}
