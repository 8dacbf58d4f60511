//! A service to be logged.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;

use bartizan_core::{Clock, Route, Routes, Settings};
use bartizan_log::RequestLogLayer;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};

pub(crate) type Body = Full<Bytes>;

/// A layer on tokio's clock, with a route or two.
pub(crate) fn layer() -> RequestLogLayer {
    let routes = Routes::new().function(|parts| match parts.uri.path().split('/').nth(1) {
        Some("users") => Some(Route::from("/users/{id}")),
        Some("reset") => Some(Route::from("/reset/{token}")),
        _ => None,
    });
    let clock = Clock::new(|| tokio::time::Instant::now().into_std());
    RequestLogLayer::new().settings(Settings { routes, clock, ..Settings::default() })
}

pub(crate) fn get(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::default()).unwrap()
}

type Work = dyn Fn() -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> + Send + Sync;

/// A logged service.
pub(crate) struct Service {
    layer: RequestLogLayer,
    work: Arc<Work>,
}

impl Service {
    pub(crate) fn new<F>(work: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future + Send + 'static,
        F::Output: Into<Answer>,
    {
        let work = move || -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
            let work = work();
            Box::pin(async move { work.await.into().0 })
        };
        Self { layer: layer(), work: Arc::new(work) }
    }

    pub(crate) fn layered(mut self, change: impl FnOnce(RequestLogLayer) -> RequestLogLayer) -> Self {
        self.layer = change(self.layer);
        self
    }

    /// Calls the service and reads its answer to the end.
    pub(crate) async fn call(&self, request: Request<Body>) {
        let work = Arc::clone(&self.work);
        let answer = service_fn(move |_| {
            let work = work();
            async move { Ok::<_, Infallible>(work.await) }
        });
        let response = self.layer.layer(answer).oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
}

/// What a handler may return.
pub(crate) struct Answer(Response<Body>);

impl From<()> for Answer {
    fn from((): ()) -> Self {
        Self(Response::default())
    }
}

impl From<&'static str> for Answer {
    fn from(text: &'static str) -> Self {
        Self(Response::new(Body::from(text)))
    }
}

impl From<u16> for Answer {
    fn from(status: u16) -> Self {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        Self(response)
    }
}

impl From<Response<Body>> for Answer {
    fn from(response: Response<Body>) -> Self {
        Self(response)
    }
}
