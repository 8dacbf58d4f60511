//! The whole stack around a real router and a raw service: log, metrics and spans tell the same story, once.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use bartizan::core::Outcome;
use bartizan::trace::opentelemetry_sdk::trace::SpanData;
use bartizan_tests::Lab;
use futures_util::{FutureExt, stream};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use tower::timeout::TimeoutLayer;
use tower::{Layer, ServiceExt, service_fn};

fn app() -> Router {
    Router::new()
        .route("/ok/{id}", get(|| async { "fine" }))
        .route("/never", get(std::future::pending::<&str>))
        .route("/panic", get(panicking))
        .route("/stream", get(streamed))
        .route("/reset/{token}", get(|| async { "reset" }))
        .layer(Lab::get().stack.layer())
}

async fn panicking() -> &'static str {
    panic!("password=planted-panic")
}

async fn streamed() -> Body {
    Body::from_stream(stream::unfold(0, |sent| async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        (sent < 5).then(|| (Ok::<_, Infallible>(Bytes::from_static(b"ten bytes\n")), sent + 1))
    }))
}

fn request(method: &str, path: &str, id: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).header("x-correlation-id", id).body(Body::empty()).unwrap()
}

async fn send(request: Request<Body>) -> Response<Bytes> {
    let (head, body) = app().oneshot(request).await.unwrap().into_parts();
    Response::from_parts(head, body.collect().await.unwrap().to_bytes())
}

fn attribute(span: &SpanData, key: &str) -> Option<String> {
    span.attributes.iter().find(|pair| pair.key.as_str() == key).map(|pair| pair.value.to_string())
}

/// Log line, span and counter of the request with this correlation id must say this.
fn told(id: &str, method: &str, route: &str, status: Option<u16>, outcome: Outcome) {
    let lab = Lab::get();
    let lines = lab.lines_with("correlation_id", id);
    let ends: Vec<_> = lines.iter().filter(|line| line["message"] == "request completed").collect();
    assert_eq!(ends.len(), 1, "{id}: {lines:?}");
    let line = ends[0];
    assert_eq!(line["outcome"], outcome.as_str(), "{id}");
    assert_eq!(line["method"], method, "{id}");
    assert_eq!(line["route"], route, "{id}");
    assert_eq!(line.get("status").and_then(serde_json::Value::as_u64), status.map(u64::from), "{id}");

    let spans: Vec<_> = lab
        .spans()
        .into_iter()
        .filter(|span| attribute(span, "correlation_id").as_deref() == Some(id))
        .collect();
    assert_eq!(spans.len(), 1, "{id}");
    let span = &spans[0];
    assert_eq!(span.span_context.trace_id().to_string(), line["trace_id"], "{id}");
    assert_eq!(span.span_context.span_id().to_string(), line["span_id"], "{id}");
    assert_eq!(attribute(span, "outcome").as_deref(), Some(outcome.as_str()), "{id}");
    assert_eq!(attribute(span, "http.response.status_code"), status.map(|status| status.to_string()), "{id}");
    assert_eq!(
        attribute(span, "error.type").as_deref(),
        line.get("error_type").and_then(|kind| kind.as_str()),
        "{id}"
    );
    let logged = line["duration_ms"].as_f64().unwrap();
    let traced = span.end_time.duration_since(span.start_time).unwrap().as_secs_f64() * 1e3;
    assert!((logged - traced).abs() < 0.001, "{id}: {logged} ms in the log, {traced} ms in the span");

    let status =
        status.unwrap_or(if outcome == Outcome::CancelledBeforeHead { 499 } else { 500 }).to_string();
    let labels =
        [("method", method), ("endpoint", route), ("status", &status), ("outcome", outcome.as_str())];
    assert_eq!(lab.sample("http_requests_total", &labels), Some(1.0), "{id}");
    assert_eq!(lab.sample("http_requests_in_flight", &labels[..2]), Some(0.0), "{id}");
}

/// The seven requests that the peers lose or miscount.
#[tokio::test]
async fn every_request_of_the_shame_list_is_counted_once_and_alike_everywhere() {
    // The client goes away before the head.
    let mut future = Box::pin(app().oneshot(request("GET", "/never", "shame-dropped")));
    assert!(future.as_mut().now_or_never().is_none());
    drop(future);
    told("shame-dropped", "GET", "/never", None, Outcome::CancelledBeforeHead);

    // The service fails.
    let failing =
        service_fn(|_: Request<_>| async { Err::<Response<Empty<Bytes>>, _>("planted-error-text") });
    let failing = Lab::get().stack.layer().layer(failing);
    let response = failing.oneshot(request("PUT", "/", "shame-error")).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&body[..], br#"{"error":"internal_server_error","request_id":"shame-error"}"#);
    told("shame-error", "PUT", "unmatched", Some(500), Outcome::ServiceError);

    // A method that a client made up, on a path that exists.
    assert_eq!(send(request("BREW", "/ok/1", "shame-method")).await.status(), 405);
    told("shame-method", "_OTHER", "/ok/{id}", Some(405), Outcome::ClientError);

    // A path that matches nothing.
    assert_eq!(send(request("GET", "/nowhere/4711", "shame-unmatched")).await.status(), 404);
    told("shame-unmatched", "GET", "unmatched", Some(404), Outcome::ClientError);

    // A method that the route does not have.
    assert_eq!(send(request("DELETE", "/ok/1", "shame-wrong")).await.status(), 405);
    told("shame-wrong", "DELETE", "/ok/{id}", Some(405), Outcome::ClientError);

    // A panic.
    let response = send(request("GET", "/panic", "shame-panic")).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x-correlation-id"]),
        (500, &HeaderValue::from_static("shame-panic"))
    );
    assert_eq!(&response.body()[..], br#"{"error":"internal_server_error","request_id":"shame-panic"}"#);
    told("shame-panic", "GET", "/panic", Some(500), Outcome::Panicked);
    let lines = Lab::get().lines_with("correlation_id", "shame-panic");
    let panic = lines.iter().find(|line| line["message"] == "panic").expect("the panic is logged");
    assert_eq!(panic["panic.message"], "password=[REDACTED]");
    assert!(panic["backtrace"].as_str().unwrap().contains("fused"), "it has a backtrace");

    // A stream of five chunks in a tenth of a second.
    assert_eq!(send(request("GET", "/stream", "shame-stream")).await.body().len(), 50);
    told("shame-stream", "GET", "/stream", Some(200), Outcome::Ok);
    let lab = Lab::get();
    let labels = [("method", "GET"), ("endpoint", "/stream")];
    assert!(lab.sample("http_request_duration_seconds_sum", &labels).unwrap() >= 0.1);
    assert_eq!(lab.sample("http_response_size_bytes_sum", &labels), Some(50.0));
    assert_eq!(lab.sample("http_response_size_bytes_count", &labels), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_inside_is_answered_with_the_id_and_one_outside_is_a_cancel() {
    let slow = || service_fn(|_: Request<Body>| std::future::pending::<Result<Response<Body>, Infallible>>());
    let stack = Lab::get().stack.layer();
    let timeout = TimeoutLayer::new(Duration::from_secs(3));

    let inside = stack.layer(timeout.layer(slow()));
    let response = inside.oneshot(request("PATCH", "/", "timeout-inside")).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.headers()["x-correlation-id"], "timeout-inside");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&body[..], br#"{"error":"internal_server_error","request_id":"timeout-inside"}"#);
    told("timeout-inside", "PATCH", "unmatched", Some(500), Outcome::ServiceError);

    let outside = timeout.layer(stack.layer(slow()));
    assert!(outside.oneshot(request("OPTIONS", "/", "timeout-outside")).await.is_err());
    told("timeout-outside", "OPTIONS", "unmatched", None, Outcome::CancelledBeforeHead);
}

#[tokio::test]
async fn random_paths_and_methods_do_not_grow_the_page() {
    let service = app();
    let mut series = None;
    for n in 0..100_000_u32 {
        // A cheap scatter of paths and of methods that nobody knows.
        let mixed = n.wrapping_mul(2_654_435_761);
        let method = if n % 3 == 0 { format!("M{mixed:x}") } else { "GET".to_owned() };
        let request = Request::builder().method(&*method).uri(format!("/{mixed:x}/{n}")).body(Body::empty());
        let _ = service.clone().oneshot(request.unwrap()).await.unwrap().into_body().collect().await;
        if n == 100 {
            series = Some(own_series());
        }
    }
    assert_eq!(Some(own_series()), series);
}

/// How many series the page has of requests that match nothing.
fn own_series() -> usize {
    Lab::get()
        .page()
        .lines()
        .filter(|line| line.contains(r#"endpoint="unmatched""#))
        .filter(|line| !["PUT", "PATCH", "OPTIONS"].iter().any(|method| line.contains(method)))
        .count()
}

#[tokio::test]
async fn no_planted_secret_leaves_the_process() {
    let handler = get(|| async {
        let span = tracing::info_span!("inner", api_key = "planted-span-field", order = 7);
        span.in_scope(
            || tracing::info!(password = "planted-event-field", token = %"planted-display", "checking"),
        );
        tracing::warn!("cannot reach postgres://app:planted-userinfo@db/orders?password=planted-dsn");
        bartizan::bind("session_token", "planted-bound");
        "done"
    });
    let app = Router::new()
        .route("/account/{password}", handler)
        .route("/boom", get(panicking))
        .layer(Lab::get().stack.layer());
    let request =
        Request::get("/account/planted-path?api_key=planted-query&next=1&user%5Bpassword%5D=planted-nested")
            .header("x-correlation-id", "secrets")
            .header("authorization", "Bearer planted-header")
            .header("cookie", "session=planted-cookie")
            .header("user-agent", "tester")
            .body(Body::empty());
    app.clone().oneshot(request.unwrap()).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(app.oneshot(self::request("GET", "/boom", "secrets-panic")).await.unwrap().status(), 500);

    let lab = Lab::get();
    let spans = format!("{:?}", lab.spans());
    for (place, text) in [("log", lab.log_text()), ("page", lab.page()), ("spans", spans)] {
        let found = text.find("planted").map(|at| &text[at.saturating_sub(80)..text.len().min(at + 40)]);
        let harmless = "planted-error-text";
        assert!(found.is_none_or(|found| found.contains(harmless)), "{place}: {found:?}");
    }
    let lines = lab.lines_with("correlation_id", "secrets");
    let end = lines.iter().find(|line| line["message"] == "request completed").unwrap();
    assert_eq!(end["path"], "/account/[REDACTED]");
    assert_eq!(end["query"], "api_key=[REDACTED]&next=1&user%5Bpassword%5D=[REDACTED]");
    assert_eq!(end["session_token"], "[REDACTED]");
    // The span inside the handler is a child of the server span.
    let spans = lab.spans();
    let inner = spans.iter().find(|span| span.name == "inner").unwrap();
    assert_eq!(inner.span_context.trace_id().to_string(), end["trace_id"]);
    assert_eq!(inner.parent_span_id.to_string(), end["span_id"]);
}

#[tokio::test]
async fn hostile_input_is_served_and_every_line_stays_one_object() {
    let long = "x".repeat(65_536);
    let hostile: [(&str, &[u8]); 9] = [
        ("x-correlation-id", b"\xff\xfe"),
        ("x-correlation-id", long.as_bytes()),
        ("traceparent", b"00-zz-zz-zz"),
        ("traceparent", long.as_bytes()),
        ("tracestate", b"\xff=1,,,=,"),
        ("baggage", long.as_bytes()),
        ("user-agent", b"\"}\x09{\"level\":\"\xc3\x28"),
        ("cookie", long.as_bytes()),
        ("host", b"\xf0\x9f\x92\xa9"),
    ];
    for (name, value) in hostile {
        for times in [1, 2] {
            let mut request = Request::get("/ok/1?q=%ff%fe%22%0a&%zz=1").body(Body::empty()).unwrap();
            for _ in 0..times {
                request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
            }
            let response = send(request).await;
            assert_eq!(response.status(), 200, "{name}");
            let id = response.headers()["x-correlation-id"].to_str().unwrap();
            let lines = Lab::get().lines_with("correlation_id", id);
            assert_eq!(lines.len(), 1, "{name}");
            assert!(lines[0]["query"].as_str().unwrap().is_ascii());
        }
    }
    let mut paths =
        vec!["/ok/%00%0a%22".to_owned(), "/ok/%ff%fe".to_owned(), format!("/ok/{}", "x".repeat(60_000))];
    paths.push("/ok/../../etc/passwd".to_owned());
    for path in paths {
        let status = send(Request::get(&*path).body(Body::empty()).unwrap()).await.status();
        assert!(status.as_u16() < 500, "{path:.20}");
    }
    // Parses every line so far.
    assert!(!Lab::get().lines().is_empty());
    assert!(Lab::get().sample("bartizan_correlation_ids_replaced_total", &[]).unwrap() >= 4.0);
    assert!(Lab::get().sample("bartizan_trace_contexts_rejected_total", &[]).unwrap() >= 3.0);
}

#[tokio::test]
async fn context_follows_spawned_tasks_and_scopes_end() {
    let handler = get(|| async {
        bartizan::bind("tenant_id", "acme");
        bartizan::spawn(async { tracing::info!("from a task") }).await.unwrap();
        let failed: Result<(), &str> = bartizan::Scope::new()
            .field("file", "a.csv")
            .run_result(async {
                tracing::info!("inside");
                Err("row 7 is empty")
            })
            .await;
        tracing::info!("outside");
        failed.unwrap_or_default();
        "done"
    });
    let app = Router::new().route("/bound", handler).layer(Lab::get().stack.layer());
    let response = app.oneshot(request("GET", "/bound", "bound")).await.unwrap();
    response.into_body().collect().await.unwrap();
    let lines = Lab::get().lines_with("correlation_id", "bound");
    let find = |message: &str| {
        lines.iter().find(|line| line["message"] == message).unwrap_or_else(|| panic!("{message}: {lines:?}"))
    };
    for message in ["from a task", "inside", "outside", "request completed"] {
        assert_eq!(find(message)["tenant_id"], "acme", "{message}");
        assert!(find(message)["trace_id"].is_string(), "{message}");
    }
    assert_eq!(find("inside")["file"], "a.csv");
    assert!(find("outside").get("file").is_none());
    assert!(
        lines
            .iter()
            .any(|line| line["level"] == "ERROR" && line["file"] == "a.csv" && line.to_string_has("row 7"))
    );
}

/// Held by tests that change the lab's checks: a run belongs to the runtime of whoever asked first, and ends with it.
static CHECKS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(start_paused = true)]
async fn a_hanging_check_slows_neither_probes_nor_requests() {
    let _alone = CHECKS.lock().await;
    let lab = Lab::get();
    let runs = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&runs);
    let check = move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        std::future::pending::<bartizan::health::Health>()
    };
    lab.stack.health().register("hanging", check).unwrap();
    let app = app().merge(lab.stack.routes());
    let get = |path: &str| app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap());
    let started = tokio::time::Instant::now();
    let probes = futures_util::future::join_all((0..1_000).map(|_| get("/health/ready"))).await;
    assert!(started.elapsed() < Duration::from_millis(100), "{:?}", started.elapsed());
    assert!(probes.into_iter().all(|answer| answer.unwrap().status() == 503));
    assert_eq!(runs.load(std::sync::atomic::Ordering::Relaxed), 1);
    let started = tokio::time::Instant::now();
    assert_eq!(get("/ok/1").await.unwrap().status(), 200);
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert!(lab.stack.health().unregister("hanging"));
}

#[tokio::test]
async fn a_failing_check_is_on_the_metrics_page_and_its_secret_nowhere() {
    let _alone = CHECKS.lock().await;
    let lab = Lab::get();
    let check = || async { Err::<(), _>("postgres://app:pl4nted@db refused, password=pl4nted") };
    lab.stack.health().register("failing", check).unwrap();
    let app = app().merge(lab.stack.routes());
    let get = async |path: &str| {
        let response = app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    let (status, ready) = get("/readyz").await;
    assert_eq!((status, ready.contains("failing")), (503, false), "names are not for everybody: {ready}");
    let (status, page) = get("/metrics").await;
    assert!(status == 200 && page.contains("health_check_status{check=\"failing\"} 0\n"), "{page}");
    let lines = lab.lines_with("check", "failing");
    assert!(lines.iter().any(|line| line.to_string_has("refused")), "{lines:?}");
    assert!(lines.iter().all(|line| !line.to_string_has("pl4nted")), "{lines:?}");
    assert!(lab.stack.health().unregister("failing"));
}

trait Mentions {
    fn to_string_has(&self, text: &str) -> bool;
}

impl Mentions for serde_json::Map<String, serde_json::Value> {
    fn to_string_has(&self, text: &str) -> bool {
        self.values().any(|value| value.as_str().is_some_and(|value| value.contains(text)))
    }
}
