//! The routes that the stack brings: health, `/metrics` and `/observability/config`.

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use bartizan_metrics::Store;
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use crate::observability::Observability;

impl Observability {
    /// The stack's own routes, to merge into the application's router:
    ///
    /// | path | what |
    /// |---|---|
    /// | `/health`, `/health/live`, `/health/ready`, `/health/startup`, `/health/detailed`, `/health/tools` and their aliases | see [`bartizan_health`] |
    /// | `/metrics` | the Prometheus page, as text, OpenMetrics or protobuf by `Accept`; 404 while metrics are off |
    /// | `/observability/config` | what is switched on, nothing sensitive |
    ///
    /// Merged after the application's `.layer(..)`, as below, probes and scrapes are not part of the traffic that is measured.
    ///
    /// ```no_run
    /// use axum::{Router, routing::get};
    /// use bartizan::Observability;
    ///
    /// let observability = Observability::builder("orders").init()?;
    /// let app: Router = Router::new()
    ///     .route("/", get(|| async { "hello" }))
    ///     .layer(observability.layer())
    ///     .merge(observability.routes());
    /// # Ok::<(), bartizan::InitError>(())
    /// ```
    pub fn routes<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        // When routers are merged, the fallback of the one that comes later wins. With the layer on this one's, requests that match
        // nothing are watched either way, and once.
        let own = Router::new()
            .layer(self.layer())
            .route("/metrics", get(page).with_state(self.store().cloned()))
            .route("/observability/config", get(config).with_state(self.config().clone()));
        self.health_endpoints().clone().routes().merge(own)
    }

    /// Live and ready alone, by status: what stays on the main port when [`routes`](Self::routes) are served on a management port, as
    /// that port says nothing of the main one.
    ///
    /// ```no_run
    /// use axum::{Router, routing::get};
    /// use bartizan::Observability;
    ///
    /// let observability = Observability::builder("orders").init()?;
    /// let app: Router = Router::new()
    ///     .route("/", get(|| async { "hello" }))
    ///     .layer(observability.layer())
    ///     .merge(observability.probe_routes());
    /// let management: Router = observability.routes();
    /// # Ok::<(), bartizan::InitError>(())
    /// ```
    pub fn probe_routes<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.health_endpoints().mirror().routes()
    }
}

async fn page(State(store): State<Option<Store>>, headers: HeaderMap) -> axum::response::Response {
    let Some(store) = store else {
        return (StatusCode::NOT_FOUND, "metrics are off; set ENABLE_METRICS=true\n").into_response();
    };
    // A large page takes milliseconds to write: not on a thread that serves requests.
    match tokio::task::spawn_blocking(move || store.page(&headers)).await {
        Ok(page) => page.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn config(State(config): State<Value>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], Json(config))
}
