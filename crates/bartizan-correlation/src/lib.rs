//! Correlation ids: one id a request, taken over from the caller or made, echoed to the caller, and known to every log line.
//!
//! ```
//! use bartizan_correlation::CorrelationLayer;
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let service = CorrelationLayer::new()
//!     .layer(service_fn(|_| async { Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::new()))) }));
//!
//! let request = Request::get("/").header("x-correlation-id", "order-17").body(Full::new(Bytes::new())).unwrap();
//! let response = service.oneshot(request).await.unwrap();
//! assert_eq!(response.headers()["x-correlation-id"], "order-17");
//! # });
//! ```
//!
//! The id is in the request's extensions, as [`Record::correlation_id`](bartizan_core::Record::correlation_id), on the request's
//! `tracing` span, and in the response's header. Code that has the request asks [`Record::of`](bartizan_core::Record::of), code that
//! works on it asks the current [`Context`](bartizan_core::Context):
//!
//! ```
//! use bartizan_core::Context;
//!
//! # async fn handler() {
//! let id = Context::current().record().and_then(|record| record.correlation_id().cloned());
//! # }
//! ```
//!
//! # On the way out
//!
//! [`ClientCorrelationLayer`] around a client puts the id of the request that is being worked on into the calls that it makes.
//!
//! # Hostile ids
//!
//! An incoming id counts if it is 1 to 128 bytes of `[A-Za-z0-9._:/+=@-]` and came once. Anything else is replaced by a new
//! id, in the request's headers as well, so that a proxy does not pass it on; it is never echoed, never logged, and counted in
//! [`ids_replaced_total`]. At the edge of the internet switch the trust in incoming ids off with
//! [`CorrelationLayer::trust_incoming`].
//!
//! # Order
//!
//! Anywhere. A response made *outside* this layer (by a timeout or a load shedder around it) does not carry the id, so put it
//! outside those; inside the facade's stack that is taken care of.

mod client;
mod layer;
mod observer;

pub use bartizan_core::CorrelationId;
pub use client::{ClientCorrelationLayer, SendOn, SendOnExchange};
pub use layer::{CorrelationError, CorrelationLayer, IdKind};
pub use observer::{Correlation, CorrelationExchange, ids_replaced_total};
