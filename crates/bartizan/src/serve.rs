//! Running servers until they are told to stop, and stopping without losing a request.

use std::future::Future;
use std::sync::PoisonError;

use bartizan_health::Drain;

use crate::error::ServeError;
use crate::observability::Observability;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Observability {
    /// The steps of stopping: for servers that need more than [`run`](Self::run), and to stop without a signal.
    pub fn drain(&self) -> &Drain {
        &self.0.drain
    }

    /// Runs servers until SIGTERM or SIGINT (Ctrl-C), and metrics on a listener of their own if there is one; then stops in order:
    ///
    /// 1. readiness is 503 and gRPC health NOT_SERVING, while everything is served, for the
    ///    [drain delay](crate::ObservabilityBuilder::drain_delay), so that load balancers notice;
    /// 2. no new connections; requests in flight finish, within the
    ///    [drain deadline](crate::ObservabilityBuilder::drain_deadline);
    /// 3. spans and log lines are flushed. Metrics are read by whoever scrapes them: `/metrics` is served until the end of 2, on a listener of
    ///    its own until the end of 3.
    ///
    /// A second signal cuts the delay short, a third one the requests. The [module of the drain](bartizan_health::drain) tells what
    /// clients see meanwhile, and why no request is lost.
    ///
    /// `serve` makes the servers. They have to end by themselves after [`Drain::closing`]: for one server over axum, tonic's
    /// `Routes` or hyper, [`Observability::serve`] does it all. For a tonic `Server`, give it the connections:
    ///
    /// ```no_run
    /// # use std::{convert::Infallible, future::Future, pin::Pin};
    /// # struct Server;
    /// # impl Server {
    /// #     fn builder() -> Self { Self }
    /// #     fn layer<L>(self, _: L) -> Self { self }
    /// #     fn add_service(self, _: ()) -> Self { self }
    /// #     async fn serve_with_incoming_shutdown(self, _: impl Sized, _: impl Future) -> Result<(), Infallible> { Ok(()) }
    /// # }
    /// # async fn run(observability: bartizan::Observability, greeter: (), listener: tokio::net::TcpListener) -> Result<(), bartizan::ServeError> {
    /// observability.run(|drain| {
    ///     Server::builder()
    ///         .layer(observability.layer())
    ///         .add_service(greeter)
    ///         .serve_with_incoming_shutdown(drain.incoming(listener), drain.closing())
    /// }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ServeError`] if a server failed, the startup checks did not pass while it served, requests were still running at the
    /// deadline, or not everything was flushed. The service has stopped all the same.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its timer and I/O enabled, as `#[tokio::main]` makes it.
    pub async fn run<F, E>(&self, serve: impl FnOnce(Drain) -> F) -> Result<(), ServeError>
    where
        F: Future<Output = Result<(), E>>,
        E: Into<BoxError>,
    {
        self.listen_for_signals();
        // To the very end, so that the last scrape sees all; dropped, it stops.
        let mut metrics = tokio::task::JoinSet::new();
        let this = self.clone();
        metrics.spawn(async move { this.serve_metrics().await });
        let mut result = match self.drain().run(serve(self.drain().clone())).await {
            Ok(served) => served.map_err(|error| ServeError::Server(error.into())),
            Err(unfinished) => Err(unfinished.into()),
        };
        if let Some(error) = self.0.not_started.lock().unwrap_or_else(PoisonError::into_inner).take() {
            result = Err(error.into());
        } else if let Err(ServeError::Server(error)) = &result {
            tracing::error!(target: "bartizan", error = %error, "the server failed");
        }
        let flushed = self.shutdown().await;
        result.and(flushed.map_err(ServeError::from))
    }

    /// Serves an axum `Router`, tonic's `Routes`, or any other tower service over hyper, HTTP/1.1 and HTTP/2, until SIGTERM or SIGINT, and
    /// stops as [`run`](Self::run) does.
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
    /// As [`run`](Self::run).
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run).
    #[cfg(feature = "serve")]
    pub async fn serve<S, B>(&self, listener: tokio::net::TcpListener, service: S) -> Result<(), ServeError>
    where
        S: tower_service::Service<http::Request<hyper::body::Incoming>, Response = http::Response<B>>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        if let Ok(address) = listener.local_addr() {
            tracing::info!(target: "bartizan", address = %address, "listening");
        }
        self.run(async |drain| {
            drain.serve(listener, service).await;
            Ok::<_, std::convert::Infallible>(())
        })
        .await
    }
}
