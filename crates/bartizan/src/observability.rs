//! The guard that [`init`](crate::ObservabilityBuilder::init) returns: layers, routes, health, and the end.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bartizan_health::{Drain, Endpoints, Registry, Startup, StartupError};
use bartizan_log::LogGuard;
use bartizan_mask::Masker;
use bartizan_metrics::Store;
use bartizan_trace::Tracing;
use serde_json::Value;

use crate::builder::ObservabilityBuilder;
use crate::client::ClientLayer;
use crate::error::ShutdownError;
use crate::meters::Meters;
use crate::stack::StackLayer;

/// The running stack. Cloning it counts a reference.
///
/// ```no_run
/// use axum::{Router, routing::get};
/// use bartizan::Observability;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let observability = Observability::builder("orders").version(env!("CARGO_PKG_VERSION")).init()?;
/// observability.health().register("database", || async { Ok::<_, std::io::Error>(()) })?;
///
/// let app = Router::new()
///     .route("/orders/{id}", get(|| async { "shipped" }))
///     .layer(observability.layer())
///     .merge(observability.routes());
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
/// observability.serve(listener, app).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Observability(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) layer: StackLayer,
    pub(crate) client: ClientLayer,
    pub(crate) endpoints: Endpoints,
    pub(crate) health: Registry,
    pub(crate) store: Option<Store>,
    pub(crate) meters: Meters,
    pub(crate) tracing: Tracing,
    pub(crate) masker: Masker,
    pub(crate) config: Value,
    pub(crate) startup: Startup,
    pub(crate) drain: Drain,
    /// Why the start beside the server failed.
    pub(crate) not_started: Mutex<Option<StartupError>>,
    /// The task that listens to signals, once there is one.
    pub(crate) signals: Mutex<Option<tokio::task::JoinHandle<()>>>,
    pub(crate) flush_deadline: Duration,
    /// Taken by the first shutdown.
    pub(crate) log: Mutex<Option<LogGuard>>,
}

impl Observability {
    /// Begins the set-up of a service of this name.
    pub fn builder(service: impl Into<String>) -> ObservabilityBuilder {
        ObservabilityBuilder::new(service.into())
    }

    /// The whole stack as one tower layer, for axum, tonic, hyper and whatever else is a
    /// `Service<http::Request<B>, Response = http::Response<R>>`.
    pub fn layer(&self) -> StackLayer {
        self.0.layer.clone()
    }

    /// The health registry: register checks here, now or later.
    pub fn health(&self) -> &Registry {
        &self.0.health
    }

    /// What the health paths and `/observability/config` answer, as settings made it: for a tower layer on hosts other than axum, or a
    /// management port.
    pub fn health_endpoints(&self) -> &Endpoints {
        &self.0.endpoints
    }

    /// The metrics store; `None` while metrics are off.
    pub fn store(&self) -> Option<&Store> {
        self.0.store.as_ref()
    }

    /// The one masker of the stack.
    pub fn masker(&self) -> &Masker {
        &self.0.masker
    }

    /// What is switched on, as `/observability/config` shows it; nothing sensitive.
    pub fn config(&self) -> &Value {
        &self.0.config
    }

    /// Fails readiness, then sends the spans and writes the log lines that still wait, within the
    /// [flush deadline](ObservabilityBuilder::flush_deadline). A second call does nothing.
    ///
    /// # Errors
    ///
    /// [`ShutdownError`] if something could not be flushed in time.
    pub async fn shutdown(&self) -> Result<(), ShutdownError> {
        self.health().drain();
        let this = self.clone();
        // The flush blocks its thread.
        tokio::task::spawn_blocking(move || this.flush()).await.unwrap_or(Err(ShutdownError::Lines))
    }

    fn flush(&self) -> Result<(), ShutdownError> {
        let deadline = self.0.flush_deadline;
        let spans = self.0.tracing.shutdown(deadline);
        if let Err(error) = &spans {
            tracing::warn!(target: "bartizan", error = %error, "spans were lost at shutdown");
        }
        tracing::info!(target: "bartizan", "service stopped");
        let guard = self.0.log.lock().unwrap_or_else(PoisonError::into_inner).take();
        let written = guard.is_none_or(|guard| guard.shutdown(deadline));
        spans?;
        if written { Ok(()) } else { Err(ShutdownError::Lines) }
    }
}

impl fmt::Debug for Observability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observability").field("config", &self.0.config).finish_non_exhaustive()
    }
}
