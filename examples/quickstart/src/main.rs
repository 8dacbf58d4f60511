//! An axum service with the whole bartizan stack: copy it, and put your routes in the place of these.
//!
//! It listens on `HOST` (default 127.0.0.1), port `PORT` (default 3000), and needs nothing else. With `WAIT_FOR=host:port` it starts
//! once somebody listens there.

mod routes;

use std::time::Duration;

use axum::Router;
use bartizan::core::Routes;
use bartizan::health::{CheckOptions, Exposure};
use bartizan::{Exit, Observability};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Exit {
    run().await.into()
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let observability = observability()?;

    // A check that always passes: put yours here. It runs in the background, so that probes only read.
    let options = CheckOptions::new().interval(Duration::from_secs(10)).timeout(Duration::from_secs(2));
    observability.health().register_with("orders", || async { Ok::<_, std::io::Error>(()) }, options)?;

    // Business metrics: whoever asks for `/metrics/business` gets one document, and every number is a gauge on `/metrics`.
    observability
        .business()
        .register("orders", || async { Ok::<_, std::io::Error>(json!({ "open": routes::open_orders() })) })?;

    // A check that has to pass once, before the service begins.
    if let Ok(address) = std::env::var("WAIT_FOR") {
        let connect = move || {
            let connecting = TcpStream::connect(address.clone());
            async { connecting.await.map(drop) }
        };
        let options = CheckOptions::new().startup(true).readiness(false);
        observability.health().register_with("wait-for", connect, options)?;
    }
    observability.start().await?;

    let placed = observability.metrics().counter("orders_placed_total").help("Orders placed.").family()?;
    let app: Router = routes::routes(placed).layer(observability.layer()).merge(observability.routes());

    let host = std::env::var("HOST").unwrap_or_else(|_| "127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let address = format!("{host}:{port}");
    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}; set PORT to a free port"))?;
    observability.serve(listener, app).await?;
    Ok(())
}

/// What differs from the defaults.
fn observability() -> Result<Observability, Box<dyn std::error::Error>> {
    Ok(Observability::builder("quickstart")
        .version(env!("CARGO_PKG_VERSION"))
        .metrics(true)
        .routes(Routes::new().prefix("/files/{*path}")?)
        // Names, messages and details of checks are for callers on this machine.
        .health_exposure(Exposure::public().loopback())
        .init()?)
}
