//! Serving an axum application until it is told to stop, and stopping without losing a request.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::error::ServeError;
use crate::observability::Observability;

impl Observability {
    /// Serves until SIGTERM or Ctrl-C, and metrics on a listener of their own if there is one; then stops in order:
    ///
    /// 1. readiness answers 503, while requests are still served, for the [drain delay](crate::ObservabilityBuilder::drain_delay), so
    ///    that load balancers notice; a second signal cuts it short;
    /// 2. no new connections; requests in flight finish, within the
    ///    [drain deadline](crate::ObservabilityBuilder::drain_deadline);
    /// 3. spans and log lines are flushed.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, routing::get};
    /// use bartizan::Observability;
    ///
    /// let observability = Observability::builder("orders").init()?;
    /// let app = Router::new().route("/", get(|| async { "hello" })).layer(observability.layer());
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    /// observability.serve(listener, app).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ServeError`] if requests were still running at the deadline, or not everything was flushed. The service has stopped all the same.
    pub async fn serve(&self, listener: TcpListener, app: Router) -> Result<(), ServeError> {
        // To the very end, so that the last scrape sees all; dropped, it stops.
        let mut metrics = JoinSet::new();
        let this = self.clone();
        metrics.spawn(async move { this.serve_metrics().await });
        let closing = Arc::new(Notify::new());
        let stop = {
            let (this, closing) = (self.clone(), Arc::clone(&closing));
            async move {
                this.drained().await;
                closing.notify_one();
            }
        };
        if let Ok(address) = listener.local_addr() {
            tracing::info!(target: "bartizan", address = %address, "listening");
        }
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        let serving = axum::serve(listener, app).with_graceful_shutdown(stop).into_future();
        let deadline = self.times().drain_deadline;
        let too_late = async {
            closing.notified().await;
            tokio::time::sleep(deadline).await;
        };
        let result = tokio::select! {
            done = serving => done.map_err(ServeError::Io),
            () = too_late => Err(ServeError::Unfinished { waited: deadline }),
        };
        if let Err(error) = &result {
            tracing::error!(target: "bartizan", error = %error, "the server did not stop cleanly");
        }
        let flushed = self.shutdown().await;
        result.and(flushed.map_err(ServeError::from))
    }
}
