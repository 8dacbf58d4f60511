//! The metrics paths as a service of their own.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::{AnswerBody, AnswerFuture};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower_service::Service;

use super::{MetricsEndpoint, PageFuture, text};

/// Answers the metrics paths, and 404 to all else: [`MetricsEndpoint::service`] makes it.
///
/// ```
/// use bartizan_metrics::{MetricsEndpoint, Store};
/// use http::Request;
/// use tower::ServiceExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = MetricsEndpoint::new(Store::new()).service();
/// assert_eq!(service.clone().oneshot(Request::get("/metrics").body(())?).await?.status(), 200);
/// assert_eq!(service.oneshot(Request::get("/orders").body(())?).await?.status(), 404);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PageService(Arc<MetricsEndpoint>);

impl PageService {
    pub(super) fn new(endpoint: Arc<MetricsEndpoint>) -> Self {
        Self(endpoint)
    }
}

impl<B> Service<Request<B>> for PageService {
    type Response = Response<AnswerBody<Full<Bytes>>>;
    type Error = Infallible;
    type Future = AnswerFuture<Ready<Result<Response<Full<Bytes>>, Infallible>>, PageFuture>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.0.ask(request.uri().path()) {
            Some(ask) => AnswerFuture::answer(PageFuture::new(&self.0, ask, request)),
            None => AnswerFuture::inner(ready(Ok(text(StatusCode::NOT_FOUND, "").map(Full::new)))),
        }
    }
}
