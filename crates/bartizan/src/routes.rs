//! The routes that the stack brings: health, `/metrics` and `/observability/config`.

use axum::Router;

use crate::observability::Observability;

impl Observability {
    /// The stack's own routes, to merge into the application's router:
    ///
    /// | path | what |
    /// |---|---|
    /// | `/health`, `/health/live`, `/health/ready`, `/health/startup`, `/health/detailed`, `/health/tools` and their aliases | see [`bartizan_health`] |
    /// | `/metrics` | the Prometheus page, as text, OpenMetrics or protobuf by `Accept`; 404 while metrics are off |
    /// | `/metrics/business` | the business metrics, one JSON document; 404 while metrics are off |
    /// | `/observability/config` | what is switched on, nothing sensitive |
    ///
    /// Where metrics have a [listener of their own](crate::ObservabilityBuilder::metrics_listener) they are not among these.
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
        let mut own = Router::new().layer(self.layer());
        if self.metrics_address().is_none() {
            let service = self.metrics_endpoint().clone().service();
            for path in self.metrics_endpoint().paths() {
                own = own.route_service(&path, service.clone());
            }
        }
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
