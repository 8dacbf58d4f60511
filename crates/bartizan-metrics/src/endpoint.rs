//! `/metrics` and `/metrics/business` on any host: as a layer, as a service, and on a listener of their own.
//!
//! ```
//! use bartizan_metrics::{MetricsEndpoint, Store};
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Store::new();
//! let hello = service_fn(|_: Request<()>| async { Ok::<_, String>(Response::new(Full::<Bytes>::from("hello"))) });
//! let service = MetricsEndpoint::new(store).token("a long random text").layer().layer(hello);
//!
//! let refused = service.clone().oneshot(Request::get("/metrics").body(())?).await?;
//! assert_eq!(refused.status(), 401);
//! let page = Request::get("/metrics").header("authorization", "Bearer a long random text").body(())?;
//! assert_eq!(service.oneshot(page).await?.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! # Threads
//!
//! A page is written on the runtime's blocking pool, four at a time; more requests wait for their turn. No thread that serves requests
//! is held up, on a current-thread runtime neither.
//!
//! # Order
//!
//! Put the layer outside of what a scrape should not go through: authentication of users, logs, metrics. What is not for its two paths
//! reaches the inner service as it came, at the cost of a comparison.

mod layer;
#[cfg(feature = "listener")]
mod listener;
mod service;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::BearerTokens;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;

pub use self::layer::{MetricsLayer, MetricsService};
pub use self::service::PageService;

#[cfg(feature = "business")]
use crate::business::Collectors;
use crate::store::Store;

/// Pages that are written at a time.
const PAGES: usize = 4;

/// What the metrics paths answer, and to whom.
///
/// | path | answer to `GET` and `HEAD` |
/// |---|---|
/// | `/metrics` | the page of the store, in the format and encoding that is asked for |
/// | `/metrics/business` | the JSON document of the `Collectors`, 404 without any |
///
/// Without a token everybody may ask. See the [module's documentation](crate::endpoint) for an example.
#[derive(Clone)]
#[must_use]
pub struct MetricsEndpoint {
    store: Option<Store>,
    #[cfg(feature = "business")]
    business: Option<Collectors>,
    path: Arc<str>,
    hidden: bool,
    guard: Option<BearerTokens>,
    pages: Arc<Semaphore>,
}

/// Why an endpoint cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The path is none.
    #[error(
        "metrics path {path:?}: give at most 128 bytes of letters, digits and -_.~/, with '/' first and not last"
    )]
    Path {
        /// The path, cut if it is very long.
        path: String,
    },
}

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Page,
    Business,
}

impl MetricsEndpoint {
    /// Shows this store at `/metrics`, to everybody.
    pub fn new(store: Store) -> Self {
        Self::of(Some(store))
    }

    /// Answers 404, with a word on how metrics are switched on.
    pub fn off() -> Self {
        Self::of(None)
    }

    fn of(store: Option<Store>) -> Self {
        Self {
            store,
            #[cfg(feature = "business")]
            business: None,
            path: "/metrics".into(),
            hidden: false,
            guard: None,
            pages: Arc::new(Semaphore::new(PAGES)),
        }
    }

    /// Shows these at `{path}/business`, and brings their gauges up to date.
    #[cfg(feature = "business")]
    pub fn business(mut self, collectors: Collectors) -> Self {
        self.business = Some(collectors);
        self
    }

    /// Another path than `/metrics`.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Path`] for what is no path.
    pub fn path(mut self, path: &str) -> Result<Self, EndpointError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~/".contains(c);
        let good = path.starts_with('/') && !path.ends_with('/') && !path.contains("//");
        if !good || path.len() > 128 || !path.chars().all(plain) {
            return Err(EndpointError::Path { path: path.chars().take(128).collect() });
        }
        self.path = path.into();
        Ok(self)
    }

    /// Answers nothing: the layer passes every request on, the service is 404. For the application's port where the pages have a listener of
    /// their own.
    ///
    /// ```
    /// use bartizan_metrics::{MetricsEndpoint, Store};
    ///
    /// let pages = MetricsEndpoint::new(Store::new());
    /// let application = pages.clone().hidden().layer();
    /// let management = pages.service();
    /// ```
    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Only callers with `authorization: Bearer {token}` are answered, the others get 401. Several tokens may be valid at a time. An
    /// empty one is nobody's: then nobody is answered.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.guard = Some(self.guard.unwrap_or_default().with(token));
        self
    }

    /// The two paths.
    pub fn paths(&self) -> [String; 2] {
        [self.path.to_string(), format!("{}/business", self.path)]
    }

    /// A tower layer that answers its paths and passes all else on.
    pub fn layer(self) -> MetricsLayer {
        MetricsLayer::new(Arc::new(self))
    }

    /// A service that answers its paths, and 404 to all else.
    pub fn service(self) -> PageService {
        PageService::new(Arc::new(self))
    }

    pub(crate) fn ask(&self, path: &str) -> Option<Ask> {
        if self.hidden {
            return None;
        }
        match path.strip_prefix(&*self.path)? {
            "" | "/" => Some(Ask::Page),
            "/business" | "/business/" => Some(Ask::Business),
            _ => None,
        }
    }

    async fn answer(&self, ask: Ask, request: &Parts) -> Response<Bytes> {
        match request.method {
            Method::GET | Method::HEAD => {}
            Method::OPTIONS => return allow(StatusCode::NO_CONTENT),
            _ => return allow(StatusCode::METHOD_NOT_ALLOWED),
        }
        if self.guard.as_ref().is_some_and(|tokens| !tokens.allow(&request.headers)) {
            let mut refused = text(StatusCode::UNAUTHORIZED, "");
            refused.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return refused;
        }
        let mut response = match (&self.store, ask) {
            (None, _) => text(StatusCode::NOT_FOUND, "metrics are off; set ENABLE_METRICS=true\n"),
            (Some(store), Ask::Page) => self.page(store, &request.headers).await,
            (Some(_), Ask::Business) => self.document().await,
        };
        // A server that does not do it itself would send the body of an answer to HEAD.
        let length = response.body().len();
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
        if request.method == Method::HEAD {
            *response.body_mut() = Bytes::new();
        }
        response
    }

    async fn page(&self, store: &Store, headers: &HeaderMap) -> Response<Bytes> {
        #[cfg(feature = "business")]
        if let Some(business) = &self.business {
            business.refresh();
        }
        // The semaphore is never closed; were it, pages would be written all the same.
        let turn = Arc::clone(&self.pages).acquire_owned().await;
        let (store, headers) = (store.clone(), headers.clone());
        let write = move || {
            // Given back when the page is written, also where nobody waits for it any more.
            let _turn = turn;
            store.page(&headers)
        };
        match tokio::task::spawn_blocking(write).await {
            Ok(page) => page.into_response(),
            Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, ""),
        }
    }

    #[cfg(feature = "business")]
    async fn document(&self) -> Response<Bytes> {
        let Some(business) = &self.business else { return no_business() };
        let mut response = Response::new(business.document().await);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    #[cfg(not(feature = "business"))]
    #[expect(clippy::unused_async, reason = "with the feature `business` it waits")]
    async fn document(&self) -> Response<Bytes> {
        no_business()
    }
}

fn no_business() -> Response<Bytes> {
    text(StatusCode::NOT_FOUND, "there are no business metrics\n")
}

fn text(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !text.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    response
}

fn allow(status: StatusCode) -> Response<Bytes> {
    let mut response = text(status, "");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    response
}

/// A page on its way. Boxed, as only scrapes pay for it.
pub struct PageFuture(Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>);

impl PageFuture {
    fn new<B>(endpoint: &Arc<MetricsEndpoint>, ask: Ask, request: Request<B>) -> Self {
        let (endpoint, (parts, _)) = (Arc::clone(endpoint), request.into_parts());
        Self(Box::pin(async move { endpoint.answer(ask, &parts).await }))
    }
}

impl Future for PageFuture {
    type Output = Response<Bytes>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response<Bytes>> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for PageFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageFuture")
    }
}

impl fmt::Debug for MetricsEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsEndpoint")
            .field("on", &self.store.is_some())
            .field("path", &self.path)
            .field("guard", &self.guard)
            .finish_non_exhaustive()
    }
}
