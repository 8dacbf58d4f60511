//! A service that calls others and passes the trace on: what the test suite of W3C trace-context asks of one.
//!
//! `POST /test` takes a JSON array of `{"url": .., "arguments": ..}`, posts the arguments of each element as JSON to its URL, and then
//! answers 200; 502 if a call got no response. It listens on 127.0.0.1, port `PORT` (default 5000).
//!
//! It calls whatever URL it is told to, so it is for tests only.

use axum::body::Body;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use bartizan::trace::TraceSettings;
use bartizan::{ClientStack, Exit, Observability};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use tower::{BoxError, Layer, ServiceExt};

/// A client that carries the correlation id and the trace along.
type TracedClient = ClientStack<Client<HttpConnector, Body>>;

/// One call to make.
#[derive(Debug, Deserialize)]
struct Call {
    url: String,
    #[serde(default)]
    arguments: serde_json::Value,
}

#[tokio::main]
async fn main() -> Exit {
    run().await.into()
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    // Spans are made even if nobody takes them, so that every call has an id of its own.
    let spans = TraceSettings::new().customize(|provider| provider);
    let observability = Observability::builder("propagation").trace(spans).init()?;

    let client = Client::builder(TokioExecutor::new()).build_http();
    let client = observability.client_layer().layer(client);
    let app = Router::new()
        .route("/test", post(test))
        .with_state(client)
        .layer(observability.layer())
        .merge(observability.routes());

    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    observability.serve(listener, app).await?;
    Ok(())
}

async fn test(
    State(client): State<TracedClient>,
    Json(calls): Json<Vec<Call>>,
) -> Result<&'static str, axum::http::StatusCode> {
    for call in calls {
        if let Err(error) = send(client.clone(), call).await {
            tracing::warn!(%error, "a call failed");
            return Err(axum::http::StatusCode::BAD_GATEWAY);
        }
    }
    Ok("done")
}

async fn send(client: TracedClient, call: Call) -> Result<(), BoxError> {
    let request = axum::http::Request::post(call.url)
        .header("content-type", "application/json")
        .body(Body::from(call.arguments.to_string()))?;
    // To its end: the connection can then be used again, and the call has ended well.
    client.oneshot(request).await?.into_body().collect().await?;
    Ok(())
}
