//! The health paths as a service of their own.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use http_body_util::Full;

use crate::{
    Answer,
    served::{AnswerFuture, Served},
};

/// Answers the health paths, and 404 to all else: what a management port serves.
///
/// [`Endpoints::service`](crate::Endpoints::service) or [`Registry::service`](crate::Registry::service) makes it.
///
/// ```
/// use bartizan_health::{Endpoints, Exposure, Registry};
/// use http::Request;
/// use tower::ServiceExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = Endpoints::new(Registry::new()).exposure(Exposure::full()).service();
/// assert_eq!(service.clone().oneshot(Request::get("/livez").body(())?).await?.status(), 200);
/// assert_eq!(service.oneshot(Request::get("/orders").body(())?).await?.status(), 404);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HealthEndpoint {
    served: Arc<Served>,
}

impl HealthEndpoint {
    pub(crate) fn new(served: Arc<Served>) -> Self {
        Self { served }
    }
}

impl<B> Service<Request<B>> for HealthEndpoint {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = EndpointFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> EndpointFuture {
        let probe = self.served.endpoints.probe(request.uri().path());
        let (parts, _) = request.into_parts();
        EndpointFuture { answer: probe.and_then(|probe| AnswerFuture::new(&self.served, probe, &parts)) }
    }
}

/// The future of [`HealthEndpoint`].
pub struct EndpointFuture {
    answer: Option<AnswerFuture>,
}

impl Future for EndpointFuture {
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = match &mut self.answer {
            Some(answer) => answer.poll(cx),
            None => Poll::Ready(Answer::not_found()),
        };
        response.map(|answer| Ok(answer.into_response().map(Full::new)))
    }
}

impl fmt::Debug for EndpointFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointFuture").finish_non_exhaustive()
    }
}
