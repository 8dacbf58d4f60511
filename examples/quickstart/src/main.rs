//! An axum service with the whole bartizan stack: copy it, and put your routes in the place of these.
//!
//! It listens on 127.0.0.1, port `PORT` (default 3000), and needs nothing else.

mod routes;

use std::time::Duration;

use axum::Router;
use bartizan::Observability;
use bartizan::core::Routes;
use bartizan::health::{CheckOptions, Exposure};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let observability = observability()?;

    // A check that always passes: put yours here. It runs in the background, so that probes only read.
    let options = CheckOptions::new().interval(Duration::from_secs(10)).timeout(Duration::from_secs(2));
    observability.health().register_with("orders", || async { Ok::<_, std::io::Error>(()) }, options)?;

    let app: Router = routes::routes().layer(observability.layer()).merge(observability.routes());

    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let address = format!("127.0.0.1:{port}");
    let listener = tokio::net::TcpListener::bind(&address)
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
