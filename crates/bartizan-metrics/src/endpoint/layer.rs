//! The tower layer: answers the metrics paths of any host and passes all else on.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bartizan_core::AnswerBody;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{AnswerFuture, MetricsEndpoint};

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
    type Future = MetricsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let kind = match self.endpoint.ask(request.uri().path()) {
            Some(ask) => Kind::Answer { answer: AnswerFuture::new(&self.endpoint, ask, request) },
            None => Kind::Inner { future: self.inner.call(request) },
        };
        MetricsFuture { kind }
    }
}

pin_project! {
    /// The future of [`MetricsService`].
    #[derive(Debug)]
    pub struct MetricsFuture<F> {
        #[pin]
        kind: Kind<F>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = KindProjection]
    enum Kind<F> {
        Inner { #[pin] future: F },
        Answer { answer: AnswerFuture },
    }
}

impl<F, R, E> Future for MetricsFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<AnswerBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(match self.project().kind.project() {
            KindProjection::Inner { future } => ready!(future.poll(cx))?.map(AnswerBody::inner),
            KindProjection::Answer { answer } => ready!(answer.poll(cx)).map(AnswerBody::full),
        }))
    }
}
