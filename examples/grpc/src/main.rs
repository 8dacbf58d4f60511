//! A tonic service with the whole bartizan stack: copy it, and put your service in the place of `Echo`.
//!
//! It serves gRPC with `grpc.health.v1` on 127.0.0.1, port `PORT` (default 50051), and probes and `/metrics` over HTTP on port `ADMIN_PORT` (default 9090). On
//! SIGTERM readiness turns 503, calls in flight finish, and everything is flushed.

use axum::Router;
use bartizan::{Exit, Observability};
use grpc_example::Echo;
use grpc_example::pb::echo_server::EchoServer;
use tokio::net::TcpListener;
use tonic::transport::Server;

#[tokio::main]
async fn main() -> Exit {
    run().await.into()
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let observability =
        Observability::builder("grpc").version(env!("CARGO_PKG_VERSION")).metrics(true).init()?;

    // One registry: HTTP probes below, `grpc.health.v1` beside the service.
    observability.health().register("echo", || async { Ok::<_, std::io::Error>(()) })?;
    let health = observability.health().grpc().service("demo.v1.Echo", ["echo"]).build()?;
    observability.start().await?;

    // Probes and scrapes have a port of their own, which is served until the very end.
    let admin = TcpListener::bind(("127.0.0.1", port("ADMIN_PORT", 9090)?)).await?;
    let listener = TcpListener::bind(("127.0.0.1", port("PORT", 50051)?)).await?;
    let (address, admin_address) = (listener.local_addr()?, admin.local_addr()?);
    tracing::info!(%address, %admin_address, "listening");
    let routes: Router = observability.routes();
    tokio::spawn(async { axum::serve(admin, routes).await });

    observability
        .run(|drain| {
            Server::builder()
                .layer(observability.layer())
                .add_service(EchoServer::new(Echo))
                .add_service(health)
                .serve_with_incoming_shutdown(drain.incoming(listener), drain.closing())
        })
        .await?;
    Ok(())
}

/// The port that this variable names.
fn port(variable: &str, default: u16) -> Result<u16, String> {
    match std::env::var(variable) {
        Ok(port) => port.parse().map_err(|_| format!("{variable}={port:?}: give a port, such as {default}")),
        Err(_) => Ok(default),
    }
}
