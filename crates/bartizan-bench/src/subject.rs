//! The router that every stack goes around, and the request that is sent to it.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Request, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{Route, get};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Uri};
use http_body_util::BodyExt;
use std::convert::Infallible;
use tower::{Layer, Service, ServiceExt};

use crate::job::{Job, Parent};

const HEADERS: [(&str, &str); 8] = [
    ("host", "shop.example.com"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate, br"),
    ("accept-language", "en-GB,en;q=0.8"),
    ("authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.dozjgNryP4J3jVmN"),
    ("cookie", "session=0b9f2c1d7e; theme=dark"),
    ("x-forwarded-for", "203.0.113.7, 10.0.0.2"),
];

async fn user(Path(id): Path<u64>) -> impl IntoResponse {
    let _ = id;
    ([("content-type", "application/json")], r#"{"id":42,"name":"Ada Lovelace","role":"admin"}"#)
}

fn router() -> Router {
    Router::new()
        .route("/", get(|| async { "home" }))
        .route("/users/{id}", get(user))
        .route("/orders/{id}", get(user))
        .route("/about", get(|| async { "about" }))
}

/// A head whose bytes are slices of one buffer, as hyper makes them.
fn head(parent: Parent) -> Parts {
    let mut request = Request::new(());
    *request.uri_mut() = Uri::from_maybe_shared(shared("/users/42?verbose=1")).unwrap();
    let headers = request.headers_mut();
    headers.reserve(HEADERS.len() + 1);
    for (name, value) in HEADERS.into_iter().chain(parent.header().map(|value| ("traceparent", value))) {
        let value = HeaderValue::from_maybe_shared(shared(value)).unwrap();
        headers.insert(HeaderName::from_static(name), value);
    }
    request.into_parts().0
}

fn shared(text: &str) -> axum::body::Bytes {
    let buffer = axum::body::Bytes::from(text.as_bytes().to_vec());
    buffer.slice(..)
}

impl Job {
    /// Does the task with the router and this layer around it.
    pub fn http<L>(&self, layer: L)
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request<Body>>>::Future: Send + 'static,
    {
        self.router(router().layer(layer));
    }

    /// Does the task with the bare router.
    pub fn bare(&self) {
        self.router(router());
    }

    fn router(&self, router: Router) {
        let head = head(self.parent);
        self.perform(|requests| {
            self.runtime.block_on(async {
                for _ in 0..requests {
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
            });
        });
    }
}
