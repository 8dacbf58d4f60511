//! The router, and the requests that are sent to it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::{Route, get};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, StatusCode, Uri};
use http_body_util::BodyExt;
use tower::{Layer, Service, ServiceExt};

use super::Shape;
use crate::job::{Job, Parent, Task, future_size};
use crate::{growth, wire};

/// The header fields of a request, in the order in which a smaller number of them is taken.
pub const HEADERS: [(&str, &str); 8] = [
    ("host", "shop.example.com"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate, br"),
    ("accept-language", "en-GB,en;q=0.8"),
    ("authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.dozjgNryP4J3jVmN"),
    ("cookie", "session=0b9f2c1d7e; theme=dark"),
    ("x-forwarded-for", "203.0.113.7, 10.0.0.2"),
];

impl Job {
    /// Does the task with the router and this layer around it.
    pub(crate) fn http<L>(&self, layer: L)
    where
        L: Layer<Route> + Layer<Router> + Clone + Send + Sync + 'static,
        <L as Layer<Route>>::Service:
            Service<Request<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
        <<L as Layer<Route>>::Service as Service<Request<Body>>>::Response: IntoResponse + 'static,
        <<L as Layer<Route>>::Service as Service<Request<Body>>>::Future: Send + 'static,
        <L as Layer<Router>>::Service: Service<Request<Body>>,
    {
        if let Task::FutureSize = self.task {
            return future_size::<<L as Layer<Router>>::Service, _>();
        }
        self.router(&router(self.shape).layer(layer));
    }

    /// Does the task with the bare router.
    pub(crate) fn bare(&self) {
        if let Task::FutureSize = self.task {
            return future_size::<Router, Request<Body>>();
        }
        self.router(&router(self.shape));
    }

    fn router(&self, router: &Router) {
        match self.task {
            Task::Serve => return self.runtime.block_on(wire::serve(router.clone())),
            Task::Threads(threads) => {
                return growth::threads::run(router, threads, &heads(self.parent, self.shape));
            }
            _ => {}
        }
        let heads = heads(self.parent, self.shape);
        self.perform(|requests| self.runtime.block_on(send(router, &heads, requests)));
    }
}

/// Sends so many requests, one after the other, to the routes in turn, and reads the answers.
pub(crate) async fn send(router: &Router, heads: &[Parts], requests: u32) {
    for (head, _) in heads.iter().cycle().zip(0..requests) {
        let request = Request::from_parts(head.clone(), Body::empty());
        let mut service = router.clone();
        let ready = ServiceExt::<Request<Body>>::ready(&mut service).await.unwrap();
        let response = ready.call(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            frame.unwrap();
        }
    }
}

fn router(shape: Shape) -> Router {
    let user = match shape.chunks {
        0 => get(user),
        _ => get(move |Path(_): Path<u64>| async move { streamed(shape) }),
    };
    let router = Router::new()
        .route("/", get(|| async { "home" }))
        .route("/users/{id}", user.clone())
        .route("/orders/{id}", user.clone())
        .route("/about", get(|| async { "about" }));
    (1..shape.routes).fold(router, |router, n| router.route(&format!("/users{n}/{{id}}"), user.clone()))
}

async fn user(Path(_): Path<u64>) -> impl IntoResponse {
    ([("content-type", "application/json")], r#"{"id":42,"name":"Ada Lovelace","role":"admin"}"#)
}

fn streamed(shape: Shape) -> Response {
    let chunk = Bytes::from_static(&ZEROES[..shape.chunk]);
    Body::new(Chunks { left: shape.chunks, chunk }).into_response()
}

static ZEROES: [u8; 1 << 20] = [0; 1 << 20];

/// A body that streams the same chunk several times.
struct Chunks {
    left: usize,
    chunk: Bytes,
}

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        Poll::Ready(Some(Ok(http_body::Frame::data(self.chunk.clone()))))
    }
}

/// The heads of the requests to each route, whose bytes are slices of shared buffers, as hyper makes them.
fn heads(parent: Parent, shape: Shape) -> Vec<Parts> {
    (0..shape.routes.max(1))
        .map(|n| match n {
            0 => head("/users/42?verbose=1", parent, shape),
            n => head(&format!("/users{n}/42?verbose=1"), parent, shape),
        })
        .collect()
}

fn head(path: &str, parent: Parent, shape: Shape) -> Parts {
    let mut request = Request::new(());
    *request.uri_mut() = Uri::from_maybe_shared(shared(path)).unwrap();
    let headers = request.headers_mut();
    for (name, value) in HEADERS.into_iter().take(shape.headers) {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_maybe_shared(shared(value)).unwrap());
    }
    for n in HEADERS.len()..shape.headers {
        let name: HeaderName = format!("x-client-hint-{n}").parse().unwrap();
        headers.insert(name, HeaderValue::from_maybe_shared(shared("a value of usual length")).unwrap());
    }
    if let Some(value) = parent.header() {
        headers.insert("traceparent", HeaderValue::from_maybe_shared(shared(value)).unwrap());
    }
    request.into_parts().0
}

/// A slice of a buffer: copying it counts a reference.
fn shared(text: &str) -> Bytes {
    Bytes::from(text.as_bytes().to_vec()).slice(..)
}
