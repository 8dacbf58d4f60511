//! A tonic service with the whole bartizan stack: copy it, and put your service in the place of `Echo`.
//!
//! It serves gRPC with `grpc.health.v1` on 127.0.0.1, port `PORT` (default 50051), and probes and `/metrics` over HTTP on port `ADMIN_PORT` (default 9090). On
//! SIGTERM readiness turns 503, calls in flight finish, and everything is flushed.

use std::time::Duration;

use axum::Router;
use bartizan::Observability;
use grpc_example::Echo;
use grpc_example::pb::echo_server::EchoServer;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// How long calls in flight may take once no new ones are taken.
const DRAIN_DEADLINE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let observability =
        Observability::builder("grpc").version(env!("CARGO_PKG_VERSION")).metrics(true).init()?;

    // One registry: HTTP probes below, `grpc.health.v1` beside the service.
    observability.health().register("echo", || async { Ok::<_, std::io::Error>(()) })?;
    let health = observability.health().grpc().service("demo.v1.Echo", ["echo"]).build()?;

    // Probes and scrapes have a port of their own, which is served until the very end.
    let admin = TcpListener::bind(("127.0.0.1", port("ADMIN_PORT", 9090)?)).await?;
    let routes: Router = observability.routes();
    tokio::spawn(async { axum::serve(admin, routes).await });

    let listener = TcpListener::bind(("127.0.0.1", port("PORT", 50051)?)).await?;
    let (closing, closed) = tokio::sync::oneshot::channel();
    let stop = {
        let observability = observability.clone();
        async move {
            observability.drained().await;
            let _ = closing.send(());
        }
    };
    let serving = Server::builder()
        .layer(observability.layer())
        .add_service(EchoServer::new(Echo))
        .add_service(health)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), stop);
    let too_late = async {
        if closed.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(DRAIN_DEADLINE).await;
    };
    let served = tokio::select! {
        served = serving => served.map_err(Into::into),
        () = too_late => Err("calls were still running at the deadline".into()),
    };
    let flushed = observability.shutdown().await;
    served.and(flushed.map_err(Into::into))
}

/// The port that this variable names.
fn port(variable: &str, default: u16) -> Result<u16, String> {
    match std::env::var(variable) {
        Ok(port) => port.parse().map_err(|_| format!("{variable}={port:?}: give a port, such as {default}")),
        Err(_) => Ok(default),
    }
}
