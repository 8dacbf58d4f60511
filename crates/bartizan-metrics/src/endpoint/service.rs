//! The metrics paths as a service of their own.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower_service::Service;

use super::{AnswerFuture, MetricsEndpoint, text};

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
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = PageFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> PageFuture {
        let ask = self.0.ask(request.uri().path());
        PageFuture(ask.map(|ask| AnswerFuture::new(&self.0, ask, request)))
    }
}

/// The future of [`PageService`].
pub struct PageFuture(Option<AnswerFuture>);

impl Future for PageFuture {
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = match &mut self.0 {
            Some(answer) => answer.poll(cx),
            None => Poll::Ready(text(StatusCode::NOT_FOUND, "")),
        };
        response.map(|response| Ok(response.map(Full::new)))
    }
}

impl fmt::Debug for PageFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageFuture").finish_non_exhaustive()
    }
}
