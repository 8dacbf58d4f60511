//! RED metrics: rate, errors and duration of every exchange, by route.
//!
//! [`RedLayer`] records into any `metrics` recorder: the [`Store`](crate::Store) of this crate, or one that the application has
//! installed. It counts each exchange once, at its true end, under its true outcome.
//!
//! ```
//! use bartizan_metrics::{RedLayer, Store};
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let store = Store::new();
//! let service = RedLayer::new()
//!     .recorder(store.clone())
//!     .layer(service_fn(|_| async { Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from("hi")))) }));
//! let response = service.oneshot(Request::new(Full::new(Bytes::new()))).await.unwrap();
//! response.into_body().collect().await.unwrap();
//!
//! let page = store.page(&http::HeaderMap::new());
//! let text = String::from_utf8(page.body.to_vec()).unwrap();
//! assert!(text.contains(r#"http_requests_total{endpoint="unmatched",method="GET",outcome="ok",status="200"} 1"#));
//! # });
//! ```
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | `http_requests_total` | counter | `method`, `endpoint`, `status`, `outcome` |
//! | `http_request_duration_seconds` | histogram, to the end of the body | `method`, `endpoint`, `status` |
//! | `http_requests_in_flight` | gauge, until the end of the body | `method`, `endpoint` |
//! | `http_request_size_bytes` | histogram, what the service read | `method`, `endpoint` |
//! | `http_response_size_bytes` | histogram, what was handed on | `method`, `endpoint` |
//!
//! By [`Naming::OpenTelemetry`] the same data is called `http.server.request.duration`, `http.server.active_requests`,
//! `http.server.request.body.size` and `http.server.response.body.size`, with the attributes of the semantic conventions.
//!
//! [`ClientRedLayer`] does the same for the calls that a service makes, see [`client`].
//!
//! # Limits
//!
//! `endpoint` is a route template or `unmatched`, `method` one of eleven names. The layer keeps its handles, so the steady state
//! neither allocates nor locks. Past [`RedLayer::max_series`] combinations (2 000) a new one is recorded under `endpoint="overflow"`, and
//! `bartizan_series_overflow_total{metric="http_requests_total"}` counts it.
//!
//! # Order and failure
//!
//! Anywhere; outside a router the route must come from a prefix or a layer further in. Without
//! [`recorder`](RedLayer::recorder) the recorder of the moment is used, so the layer may be built before the recorder is installed;
//! what happens before that is not recorded.

pub mod client;
mod layer;
mod names;
mod observer;
mod recorders;
mod table;
#[cfg(test)]
mod tests;

pub use client::{ClientRed, ClientRedExchange, ClientRedLayer};
pub use layer::RedLayer;
pub use names::Naming;
pub use observer::{Red, RedExchange};
