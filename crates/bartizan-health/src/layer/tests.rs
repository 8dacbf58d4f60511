use std::{convert::Infallible, future, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{ServiceExt, service_fn};

use super::*;
use crate::{CheckOptions, Exposure, Health, HealthError, ToolUrls};

fn registry() -> Registry {
    let registry = Registry::builder().register("db", || async { Health::unhealthy("refused") });
    registry.register("disk", || async {}).build().unwrap()
}

/// Asks a host that answers `inner` to everything.
async fn ask(layer: &HealthLayer, request: Request<()>) -> (StatusCode, HeaderMap, Bytes) {
    let host = service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("inner")))
    });
    let (parts, body) = layer.layer(host).oneshot(request).await.unwrap().into_parts();
    (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
}

async fn get(layer: &HealthLayer, path: &str) -> (StatusCode, Value) {
    let (status, headers, body) = ask(layer, Request::get(path).body(()).unwrap()).await;
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(headers[header::CONTENT_LENGTH], body.len().to_string());
    (status, serde_json::from_slice(&body).unwrap())
}

async fn send(layer: &HealthLayer, method: Method, path: &str) -> (StatusCode, HeaderMap, Bytes) {
    ask(layer, Request::builder().method(method).uri(path).body(()).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn every_face_answers() {
    let layer = Endpoints::new(registry()).exposure(Exposure::public().names(true)).layer();
    let (status, health) = get(&layer, "/health?x=1").await;
    assert_eq!((status, &health["status"]), (StatusCode::OK, &json!("unhealthy")));
    assert_eq!(health["checks"][0]["message"], Value::Null);
    assert_eq!(get(&layer, "/livez").await, (StatusCode::OK, json!({ "status": "alive" })));
    let (status, ready) = get(&layer, "/ready/").await;
    assert_eq!((status, &ready["status"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("not_ready")));
    assert_eq!(ready["checks"], json!({ "db": "error: unhealthy", "disk": "ok" }));
    assert_eq!(ready["health"]["status"], "unhealthy");
    assert_eq!(get(&layer, "/startup").await, (StatusCode::OK, json!({ "status": "started", "checks": {} })));
    assert_eq!(get(&layer, "/health/detailed").await.1["failed_checks"], json!(["db"]));
    let nothing = json!({ "grafana": null, "prometheus": null, "alertmanager": null, "tasks": null });
    assert_eq!(get(&layer, "/health/tools").await, (StatusCode::OK, nothing));
    let (_, _, inner) = send(&layer, Method::GET, "/observability/config").await;
    assert_eq!(inner, "inner", "nobody has said what there is to show");
    let config = json!({ "metrics": { "enabled": true } });
    let layer = Endpoints::new(registry()).config(config.clone()).layer();
    assert_eq!(get(&layer, "/observability/config").await, (StatusCode::OK, config));
    assert_eq!(send(&layer, Method::POST, "/observability/config").await.0, 405);
}

#[tokio::test(start_paused = true)]
async fn head_is_get_without_the_body() {
    let layer = HealthLayer::new(registry());
    for path in ["/health/live", "/health/ready", "/health/tools"] {
        let (status, headers, body) = send(&layer, Method::HEAD, path).await;
        let (get_status, get_headers, _) = send(&layer, Method::GET, path).await;
        assert_eq!((status, headers), (get_status, get_headers));
        assert!(body.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn other_methods_are_told_what_is_allowed() {
    let layer = HealthLayer::new(registry());
    for (method, expected) in [
        (Method::OPTIONS, 204),
        (Method::POST, 405),
        (Method::DELETE, 405),
        (Method::from_bytes(b"X").unwrap(), 405),
    ] {
        let (status, headers, body) = send(&layer, method, "/health/ready").await;
        assert_eq!((status.as_u16(), body.len()), (expected, 0));
        assert_eq!(headers[header::ALLOW], "GET, HEAD, OPTIONS");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_a_health_path_reaches_the_host() {
    let layer = HealthLayer::new(registry());
    for path in ["/", "/orders", "/healthz", "/health/other", "*"] {
        let (status, headers, body) = send(&layer, Method::POST, path).await;
        assert_eq!((status.as_u16(), headers.len(), &*body), (200, 0, &b"inner"[..]));
    }
}

#[tokio::test(start_paused = true)]
async fn liveness_never_runs_a_check() {
    let registry = Registry::builder().register("never", || async { panic!("ran") as () }).build().unwrap();
    let layer = registry.layer();
    get(&layer, "/health/live").await;
    get(&layer, "/health/tools").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let known = registry.last_report(crate::Group::All);
    assert_eq!(known.checks[0].message.as_deref(), Some("Not checked yet"));
}

#[tokio::test(start_paused = true)]
async fn drain_turns_readiness_off_at_once_and_nothing_else() {
    let registry = Registry::builder().register("hang", future::pending::<()>).build().unwrap();
    let layer = registry.layer();
    registry.drain();
    let start = tokio::time::Instant::now();
    assert_eq!(get(&layer, "/readyz").await.0, 503);
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(get(&layer, "/livez").await.0, 200);
    assert_eq!(get(&layer, "/health").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn startup_is_503_until_its_checks_pass() {
    let registry = registry();
    let options = CheckOptions::new().startup(true);
    registry.register_with("schema", || async { Err::<(), _>("missing") }, options.clone()).unwrap();
    let layer = Endpoints::new(registry.clone()).exposure(Exposure::full()).layer();
    let missing = json!({ "status": "not_started", "checks": { "schema": "error: missing" } });
    assert_eq!(get(&layer, "/health/startup").await, (StatusCode::SERVICE_UNAVAILABLE, missing));
    registry.unregister("schema");
    registry.register_with("schema", || async {}, options).unwrap();
    let passed = json!({ "status": "started", "checks": { "schema": "ok" } });
    assert_eq!(get(&layer, "/health/startup").await, (StatusCode::OK, passed));
    let left_alone = json!({ "status": "started", "checks": {} });
    assert_eq!(get(&layer, "/health/startup").await, (StatusCode::OK, left_alone));
}

// R-HLT-11
#[tokio::test(start_paused = true)]
async fn messages_are_for_callers_with_the_token() {
    let layer = Endpoints::new(registry()).exposure(Exposure::public().token("s3cret")).layer();
    for (value, message) in [("Bearer s3cret", json!("refused")), ("Bearer other", Value::Null)] {
        let request = Request::get("/health").header(header::AUTHORIZATION, value).body(()).unwrap();
        let body: Value = serde_json::from_slice(&ask(&layer, request).await.2).unwrap();
        assert_eq!(body["checks"][0]["message"], message);
    }
}

// R-HLT-11
#[tokio::test(start_paused = true)]
async fn a_single_check_is_there_for_who_may_see_its_name() {
    let layer = Endpoints::new(registry()).exposure(Exposure::public().token("s3cret")).layer();
    let ask = async |path: &str, token: &str| {
        let value = format!("Bearer {token}");
        let request = Request::get(path).header(header::AUTHORIZATION, value).body(()).unwrap();
        let (status, _, body) = ask(&layer, request).await;
        (status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
    };
    assert_eq!(ask("/readyz/disk", "s3cret").await, (200, "ok".into()));
    assert_eq!(ask("/health/ready/db", "s3cret").await, (503, "[-]db failed: refused\n".into()));
    for path in ["/livez/db", "/readyz/unknown", "/readyz/%ff"] {
        assert_eq!(ask(path, "s3cret").await, (200, "inner".into()), "{path}");
    }
    assert_eq!(ask("/readyz/db", "other").await, (200, "inner".into()));
    assert_eq!(ask("/readyz?exclude=db", "s3cret").await.0, 200);
    assert_eq!(ask("/readyz?exclude=db", "other").await.0, 503, "what is left out would tell");
    let verbose = "[-]db failed: refused\n[+]disk ok\nreadyz check failed\n";
    assert_eq!(ask("/readyz?verbose", "s3cret").await, (503, verbose.into()));
    assert_eq!(ask("/readyz?verbose", "other").await, (503, "readyz check failed\n".into()));
}

#[tokio::test(start_paused = true)]
async fn a_group_has_its_path_and_a_mirror_has_neither_it_nor_names() {
    let options = CheckOptions::new().readiness(false).group("partners");
    let registry = registry();
    registry.register_with("bank", || async { Err::<(), _>("closed") }, options).unwrap();
    let all = Endpoints::new(registry).exposure(Exposure::full()).group("partners", "/partnersz").unwrap();
    let (status, partners) = get(&all.clone().layer(), "/partnersz/").await;
    assert_eq!((status.as_u16(), &partners["checks"][0]["message"]), (503, &json!("closed")));
    let mirror = all.mirror().layer();
    assert_eq!(get(&mirror, "/livez").await.0, 200);
    let (status, ready) = get(&mirror, "/readyz").await;
    assert_eq!((status.as_u16(), &ready["checks"]), (503, &json!({})));
    for path in ["/partnersz", "/health", "/health/detailed", "/readyz/db", "/health/tools"] {
        assert_eq!(send(&mirror, Method::GET, path).await.2, "inner", "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn health_json_is_given_to_who_accepts_it() {
    let layer = HealthLayer::new(registry());
    for (path, expected) in [("/health", 503), ("/readyz", 503), ("/livez", 200), ("/health/startup", 200)] {
        let request = Request::get(path).header(header::ACCEPT, "application/health+json").body(()).unwrap();
        let (status, headers, body) = ask(&layer, request).await;
        assert_eq!(
            (status.as_u16(), &headers[header::CONTENT_TYPE]),
            (expected, &"application/health+json".parse().unwrap())
        );
        let word = if expected == 200 { "pass" } else { "fail" };
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), json!({ "status": word }), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn tool_urls_are_shown_without_their_secrets() {
    let tools = ToolUrls {
        grafana: Some("https://admin:s3cret@grafana.example.com/d/x".into()),
        tasks: Some("https://flower.example.com/?api_key=s3cret".into()),
        ..ToolUrls::default()
    };
    let (_, shown) = get(&Endpoints::new(registry()).tools(tools).layer(), "/health/tools").await;
    assert_eq!(shown["grafana"], "https://[REDACTED]@grafana.example.com/d/x");
    assert_eq!(shown["tasks"], "https://flower.example.com/?api_key=[REDACTED]");
}

#[test]
fn base_path_and_aliases_are_settings() {
    let endpoints = Endpoints::new(registry()).base_path("/-/health").unwrap().aliases(false);
    assert!(endpoints.probe("/-/health/live").is_some());
    assert!(endpoints.probe("/livez").is_none());
    assert!(matches!(Endpoints::new(registry()).base_path("health"), Err(HealthError::BasePath { .. })));
}

#[tokio::test]
async fn the_host_s_body_is_forwarded_as_it_is() {
    let inner = AnswerBody::inner(Full::new(Bytes::from("inner")));
    assert_eq!((inner.size_hint().exact(), inner.is_end_stream()), (Some(5), false));
    let empty: AnswerBody<Full<Bytes>> = AnswerBody::full(Bytes::new());
    assert_eq!((empty.size_hint().exact(), empty.is_end_stream()), (Some(0), true));
    let mut answer: AnswerBody<Full<Bytes>> = AnswerBody::full(Bytes::from("answer"));
    assert_eq!((answer.size_hint().exact(), answer.is_end_stream()), (Some(6), false));
    assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), "answer");
    assert!(answer.is_end_stream() && answer.frame().await.is_none());
}

/// Fails a call that was not made on the very clone that was polled ready.
#[derive(Default)]
struct Reserved(bool);

impl Clone for Reserved {
    fn clone(&self) -> Self {
        Self(false)
    }
}

impl Service<Request<()>> for Reserved {
    type Response = Response<Full<Bytes>>;
    type Error = &'static str;
    type Future = future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0 = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        let reserved = std::mem::take(&mut self.0);
        future::ready(if reserved { Ok(Response::default()) } else { Err("called without being ready") })
    }
}

#[tokio::test]
async fn the_clone_that_was_polled_ready_is_called() {
    let service = HealthLayer::new(registry()).layer(Reserved::default());
    assert!(service.clone().oneshot(Request::get("/").body(()).unwrap()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_tonic_service_can_be_the_host() {
    let service = HealthLayer::new(registry()).layer(tonic::service::Routes::default());
    for (path, expected) in [("/health/live", 200), ("/health/ready", 503)] {
        let request = Request::get(path).body(tonic::body::Body::empty()).unwrap();
        assert_eq!(service.clone().oneshot(request).await.unwrap().status(), expected);
    }
    let request = Request::post("/shop.Orders/List").body(tonic::body::Body::empty()).unwrap();
    assert_eq!(service.oneshot(request).await.unwrap().headers()["grpc-status"], "12");
}
