//! The tower layer: answers the metrics paths of any host and passes all else on.

use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::{AnswerBody, AnswerFuture};
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::{MetricsEndpoint, PageFuture};

/// Wraps a service so that it answers the metrics paths: [`MetricsEndpoint::layer`] makes it.
#[derive(Clone, Debug)]
pub struct MetricsLayer(Arc<MetricsEndpoint>);

impl MetricsLayer {
    pub(super) fn new(endpoint: Arc<MetricsEndpoint>) -> Self {
        Self(endpoint)
    }
}

impl<S> Layer<S> for MetricsLayer {
    type Service = MetricsService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        MetricsService { inner, endpoint: Arc::clone(&self.0) }
    }
}

/// The service that [`MetricsLayer`] makes.
#[derive(Clone, Debug)]
pub struct MetricsService<S> {
    inner: S,
    endpoint: Arc<MetricsEndpoint>,
}

impl<S, B, R> Service<Request<B>> for MetricsService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<AnswerBody<R>>;
    type Error = S::Error;
    type Future = AnswerFuture<S::Future, PageFuture>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.endpoint.ask(request.uri().path()) {
            Some(ask) => AnswerFuture::answer(PageFuture::new(&self.endpoint, ask, request)),
            None => AnswerFuture::inner(self.inner.call(request)),
        }
    }
}
