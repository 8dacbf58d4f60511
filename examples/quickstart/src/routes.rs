//! The routes: some that work, and some that show what happens when things go wrong.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Form, FromRequest, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bartizan::metrics::{Counter, Family};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::{info, warn};

static PLACED: AtomicU64 = AtomicU64::new(0);

/// Orders that were placed and not shipped, which is none of them ever.
pub(crate) fn open_orders() -> u64 {
    PLACED.load(Relaxed)
}

pub(crate) fn routes(placed: Family<Counter>) -> Router {
    let items = Router::new().route("/items/{id}", get(item));
    Router::new()
        .route("/orders/{id}", get(order))
        .route("/orders", post(create_order).with_state(placed))
        .route("/slow", get(slow))
        .route("/stream", get(streamed))
        .route("/fail", get(fail))
        .route("/panic", get(panicking))
        .route("/broken", get(broken))
        .route("/login", post(login))
        .route("/log", get(log))
        .nest("/api/v1", items)
        // A mounted service has no route of its own: the prefix in `main` names it.
        .nest_service("/files", tower::service_fn(file))
}

#[derive(Serialize)]
struct Order {
    id: u64,
    status: &'static str,
}

async fn order(Path(id): Path<u64>) -> Result<Json<Order>, StatusCode> {
    // How long it takes, and whether it works: `order_lookup_duration_seconds{outcome}`.
    let order = bartizan::metrics::time("order_lookup", &[("store", "memory")]).call(|| find(id))?;
    info!(order = id, "order found");
    Ok(Json(order))
}

/// There is no order 0.
fn find(id: u64) -> Result<Order, StatusCode> {
    if id == 0 { Err(StatusCode::NOT_FOUND) } else { Ok(Order { id, status: "shipped" }) }
}

async fn create_order(State(placed): State<Family<Counter>>, Json(order): Json<Value>) -> impl IntoResponse {
    let gift = order["gift"].as_bool().unwrap_or_default();
    placed.with(&[("gift", gift)]).increment(1);
    PLACED.fetch_add(1, Relaxed);
    (StatusCode::CREATED, Json(json!({ "id": 1, "order": order })))
}

async fn item(Path(id): Path<u64>) -> Json<Value> {
    Json(json!({ "item": id }))
}

#[derive(Deserialize)]
struct Slow {
    #[serde(default)]
    ms: u64,
}

async fn slow(Query(Slow { ms }): Query<Slow>) -> Json<Value> {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    Json(json!({ "slept_ms": ms }))
}

#[derive(Deserialize)]
struct Chunks {
    #[serde(default)]
    chunks: u32,
    #[serde(default)]
    ms: u64,
}

/// Streams `chunks` chunks of 10 bytes, each after `ms` milliseconds.
async fn streamed(Query(Chunks { chunks, ms }): Query<Chunks>) -> Body {
    Body::from_stream(stream::unfold(0, move |sent| async move {
        if sent == chunks {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(ms)).await;
        Some((Ok::<_, std::convert::Infallible>(Bytes::from_static(b"ten bytes\n")), sent + 1))
    }))
}

async fn fail() -> impl IntoResponse {
    warn!("this route always fails");
    (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": "out of stock" })))
}

async fn panicking() -> &'static str {
    panic!("this route always panics, with password=hunter2 in its message")
}

/// The status says 200, then the body breaks.
async fn broken() -> Body {
    let chunks = [Ok(Bytes::from_static(b"the beginning\n")), Err(std::io::Error::other("the disk is gone"))];
    // A pause, so that the beginning is on its way before the end is known.
    Body::from_stream(stream::unfold(chunks.into_iter(), |mut chunks| async move {
        let chunk = chunks.next()?;
        if chunk.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some((chunk, chunks))
    }))
}

#[derive(Deserialize)]
struct Login {
    #[serde(alias = "user")]
    username: String,
    password: String,
}

/// Takes a form or JSON. The password shows nowhere, not even where it is logged by mistake.
async fn login(request: Request) -> Result<Response, Response> {
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let login = if is_json {
        Json::<Login>::from_request(request, &()).await.map_err(IntoResponse::into_response)?.0
    } else {
        Form::<Login>::from_request(request, &()).await.map_err(IntoResponse::into_response)?.0
    };
    info!(username = login.username, password = login.password, "login");
    Ok(Json(json!({ "token_type": "bearer", "user": login.username })).into_response())
}

#[derive(Deserialize)]
struct Lines {
    #[serde(default = "one")]
    n: u32,
}

fn one() -> u32 {
    1
}

/// Writes `n` log lines with bound context, from here and from a spawned task.
async fn log(Query(Lines { n }): Query<Lines>) -> Json<Value> {
    bartizan::bind("tenant_id", "acme");
    bartizan::bind("user_id", 42);
    let n = n.min(10_000);
    for line in 0..n {
        if line == 0 {
            info!(line, password = "hunter2", "a line with a password");
        } else {
            info!(line, "a line");
        }
    }
    let spawned = bartizan::spawn(async {
        info!("a line from a spawned task");
    });
    let _ = spawned.await;
    Json(json!({ "lines": n }))
}

/// A service of its own, mounted at `/files`.
async fn file(request: Request) -> Result<Response, std::convert::Infallible> {
    Ok(format!("contents of {}\n", request.uri().path()).into_response())
}
