//! A plain hyper service with the whole bartizan stack, over HTTP/1.1 and HTTP/2: copy it, and put your service in the place of
//! [`respond`].
//!
//! It listens on 127.0.0.1, port `PORT` (default 3001). `/hello/{name}` greets, `/ws` echoes over a WebSocket.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bartizan::Observability;
use bartizan::core::{PeerAddress, Record, Route, Routes};
use bartizan::metrics::UpgradedConnection;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_tungstenite::HyperWebsocket;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tower::{Layer, Service};

type Answer = Response<Full<Bytes>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let observability = Observability::builder("raw")
        .version(env!("CARGO_PKG_VERSION"))
        .metrics(true)
        // Without a router, a function names the routes.
        .routes(Routes::new().function(|request| route(request.uri.path())))
        .init()?;
    let metrics = observability.store().cloned();
    let app = tower::service_fn(move |request| respond(request, metrics.clone()));
    // Health outside of the stack, so that probes are no traffic.
    let service = observability.health_endpoints().clone().layer().layer(observability.layer().layer(app));

    let port = std::env::var("PORT").unwrap_or_else(|_| "3001".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    let connections = GracefulShutdown::new();
    let drained = observability.drained();
    tokio::pin!(drained);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => accepted?,
            () = &mut drained => break,
        };
        let service = service.clone();
        let service = service_fn(move |request| with_peer(service.clone(), request, peer));
        let server = auto::Builder::new(TokioExecutor::new());
        let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error, "the connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(Duration::from_secs(30), connections.shutdown()).await.is_err() {
        tracing::warn!("connections were still busy at the deadline");
    }
    Ok(observability.shutdown().await?)
}

/// Tells the stack who is asking: hyper does not.
fn with_peer<S, B>(mut service: S, mut request: Request<B>, peer: SocketAddr) -> S::Future
where
    S: Service<Request<B>>,
{
    request.extensions_mut().insert(PeerAddress(peer));
    service.call(request)
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
    metrics: Option<bartizan::metrics::Store>,
) -> Result<Answer, Infallible> {
    let path = request.uri().path();
    Ok(match path.strip_prefix("/hello/") {
        Some(name) => {
            tracing::info!("greeting");
            Response::new(Full::from(format!("hello, {name}\n")))
        }
        None if path == "/ws" => upgrade(request),
        None if path == "/metrics" => page(metrics, request.headers().clone()).await,
        None => status(StatusCode::NOT_FOUND),
    })
}

/// Answers 101, and serves the connection in a task that the request's context follows.
fn upgrade(mut request: Request<Incoming>) -> Answer {
    let connection = request.extensions().get::<Record>().map(UpgradedConnection::begin);
    match hyper_tungstenite::upgrade(&mut request, None) {
        Ok((response, socket)) => {
            bartizan::spawn(async move {
                if let Err(error) = echo(socket).await {
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

async fn echo(socket: HyperWebsocket) -> Result<(), hyper_tungstenite::tungstenite::Error> {
    let mut socket = socket.await?;
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

async fn page(metrics: Option<bartizan::metrics::Store>, headers: HeaderMap) -> Answer {
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
