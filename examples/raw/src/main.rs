//! A plain hyper service with the whole bartizan stack, over HTTP/1.1 and HTTP/2: copy it, and put your service in the place of
//! [`respond`].
//!
//! It listens on 127.0.0.1, port `PORT` (default 3001). `/hello/{name}` greets, `/ws` echoes over a WebSocket; health, metrics and
//! `/observability/config` are those of the stack.

use std::convert::Infallible;

use bartizan::core::{Record, Route, Routes};
use bartizan::health::Registry;
use bartizan::metrics::UpgradedConnection;
use bartizan::{Exit, Observability};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Request, Response, StatusCode};
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
    let health = observability.health().clone();
    let app = tower::service_fn(move |request| respond(request, health.clone()));
    // Health and metrics outside of the stack, so that probes and scrapes are no traffic.
    let service = observability.metrics_endpoint().clone().layer().layer(observability.layer().layer(app));
    let service = observability.health_endpoints().clone().layer().layer(service);

    let port = std::env::var("PORT").unwrap_or_else(|_| "3001".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    observability.serve(listener, service).await?;
    Ok(())
}

fn route(path: &str) -> Option<Route> {
    match path {
        "/ws" => Some(Route::from("/ws")),
        _ if path.starts_with("/hello/") => Some(Route::from("/hello/{name}")),
        _ => None,
    }
}

#[expect(clippy::unused_async, reason = "yours will wait for something")]
async fn respond(request: Request<Incoming>, health: Registry) -> Result<Answer, Infallible> {
    let path = request.uri().path();
    Ok(match path.strip_prefix("/hello/") {
        Some(name) => {
            tracing::info!("greeting");
            Response::new(Full::from(format!("hello, {name}\n")))
        }
        None if path == "/ws" => upgrade(request, health),
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

fn status(status: StatusCode) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = status;
    answer
}
