//! The tower layer: answers the health paths of any host and passes all else on.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bartizan_core::{AnswerBody, AnswerFuture};
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    Endpoints, Registry,
    served::{ProbeFuture, Served},
};

/// Wraps a service so that it answers the health paths.
///
/// ```
/// use bartizan_health::{HealthLayer, Registry};
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::new();
/// registry.register("database", || async { Err::<(), _>("refused") })?;
///
/// let hello = service_fn(|_: Request<()>| async { Ok::<_, String>(Response::new(Full::<Bytes>::from("hello"))) });
/// let service = HealthLayer::new(registry).layer(hello);
///
/// let response = service.oneshot(Request::get("/health/ready").body(())?).await?;
/// assert_eq!(response.status(), 503);
/// # Ok(())
/// # }
/// ```
///
/// # Order
///
/// Put it outside of everything that a probe should not go through: authentication, load shedding, timeouts,
/// logs and metrics. Outside of a limit on concurrency a probe still waits for `poll_ready` of what is inside,
/// as any request does; where liveness must not wait, use a management port.
#[derive(Clone, Debug)]
pub struct HealthLayer {
    served: Arc<Served>,
}

impl HealthLayer {
    /// The default [`Endpoints`] of the registry.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        Endpoints::new(registry).into()
    }
}

impl From<Endpoints> for HealthLayer {
    fn from(endpoints: Endpoints) -> Self {
        Self { served: Served::new(endpoints) }
    }
}

impl<S> Layer<S> for HealthLayer {
    type Service = HealthService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        HealthService { inner, served: Arc::clone(&self.served) }
    }
}

/// The service that [`HealthLayer`] makes.
///
/// A request that is not for a health path reaches the inner service as it came, at the cost of two
/// comparisons.
#[derive(Clone, Debug)]
pub struct HealthService<S> {
    inner: S,
    served: Arc<Served>,
}

impl<S, B, R> Service<Request<B>> for HealthService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<AnswerBody<R>>;
    type Error = S::Error;
    type Future = AnswerFuture<S::Future, ProbeFuture>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.served.respond(request, |request| self.inner.call(request))
    }
}

#[cfg(test)]
mod tests;
