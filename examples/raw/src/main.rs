//! A plain hyper service with the whole bartizan stack, over HTTP/1.1 and HTTP/2: copy it, and put your service in the place of
//! [`respond`].
//!
//! It listens on 127.0.0.1, port `PORT` (default 3001). `/hello/{name}` greets, `/ws` echoes over a WebSocket.

use std::convert::Infallible;

use bartizan::core::{Record, Route, Routes};
use bartizan::health::Registry;
use bartizan::metrics::{Store, UpgradedConnection};
use bartizan::{Exit, Observability};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_tungstenite::HyperWebsocket;
use tokio::net::TcpListener;
use tower::Layer;

type Answer = Response<Full<Bytes>>;

#[tokio::main]
async fn main() -> Exit {
    run().await.into()
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let observability = Observability::builder("raw")
        .version(env!("CARGO_PKG_VERSION"))
        .metrics(true)
        // Without a router, a function names the routes.
        .routes(Routes::new().function(|request| route(request.uri.path())))
        .init()?;
    let (metrics, health) = (observability.store().cloned(), observability.health().clone());
    let app = tower::service_fn(move |request| respond(request, metrics.clone(), health.clone()));
    // Health outside of the stack, so that probes are no traffic.
    let service = observability.health_endpoints().clone().layer().layer(observability.layer().layer(app));

    let port = std::env::var("PORT").unwrap_or_else(|_| "3001".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    observability.serve(listener, service).await?;
    Ok(())
}

fn route(path: &str) -> Option<Route> {
    match path {
        "/ws" => Some(Route::from("/ws")),
        "/metrics" => Some(Route::from("/metrics")),
        _ if path.starts_with("/hello/") => Some(Route::from("/hello/{name}")),
        _ => None,
    }
}

async fn respond(
    request: Request<Incoming>,
    metrics: Option<Store>,
    health: Registry,
) -> Result<Answer, Infallible> {
    let path = request.uri().path();
    Ok(match path.strip_prefix("/hello/") {
        Some(name) => {
            tracing::info!("greeting");
            Response::new(Full::from(format!("hello, {name}\n")))
        }
        None if path == "/ws" => upgrade(request, health),
        None if path == "/metrics" => page(metrics, request.headers().clone()).await,
        None => status(StatusCode::NOT_FOUND),
    })
}

/// Answers 101, and serves the connection in a task that the request's context follows.
fn upgrade(mut request: Request<Incoming>, health: Registry) -> Answer {
    let connection = Record::of(&request).as_ref().map(UpgradedConnection::begin);
    match hyper_tungstenite::upgrade(&mut request, None) {
        Ok((response, socket)) => {
            bartizan::spawn(async move {
                if let Err(error) = echo(socket, &health).await {
                    tracing::debug!(error = %error, "the socket ended early");
                }
                drop(connection);
            });
            response
        }
        Err(error) => {
            tracing::info!(error = %error, "no WebSocket handshake");
            status(StatusCode::BAD_REQUEST)
        }
    }
}

async fn echo(
    socket: HyperWebsocket,
    health: &Registry,
) -> Result<(), hyper_tungstenite::tungstenite::Error> {
    let mut socket = socket.await?;
    loop {
        let message = tokio::select! {
            message = socket.next() => message,
            // The service is about to stop: the client connects again, elsewhere.
            () = health.draining() => return socket.close(None).await,
        };
        let Some(message) = message.transpose()? else { return Ok(()) };
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
}

async fn page(metrics: Option<Store>, headers: HeaderMap) -> Answer {
    let Some(store) = metrics else { return status(StatusCode::NOT_FOUND) };
    match tokio::task::spawn_blocking(move || store.page(&headers)).await {
        Ok(page) => page.into_response(),
        Err(_) => status(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn status(status: StatusCode) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = status;
    answer
}
