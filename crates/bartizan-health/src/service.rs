//! The health paths as a service of their own.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use bartizan_core::{AnswerBody, AnswerFuture};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower_service::Service;

use crate::{
    Answer,
    served::{ProbeFuture, Served},
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
    type Response = Response<AnswerBody<Full<Bytes>>>;
    type Error = Infallible;
    type Future = AnswerFuture<Ready<Result<Response<Full<Bytes>>, Infallible>>, ProbeFuture>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.served.respond(request, |_| ready(Ok(Answer::not_found().into_response().map(Full::new))))
    }
}
