//! Request logging, context binding, and a subscriber that masks.
//!
//! * [`RequestLogLayer`]: one event an exchange, at its true end.
//! * [`bind`] and [`Scope`]: fields for every later line of a request, or of a block.
//! * [`LogBuilder`], [`LogLayer`], [`LogWriter`]: a `tracing` subscriber that writes JSON lines or a console form, masks
//!   every field on the way, and never makes a request wait for the output.
//! * [`Capture`]: bodies of requests and responses, bounded and masked, of exchanges that failed, say.
//! * [`SlowOperation`]: a line for what takes too long, with its SQL statement.
//! * [`PanicHook`]: panics as log lines, with the request's ids.
//!
//! ```
//! use bartizan_log::{LogBuilder, RequestLogLayer, bind};
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use std::convert::Infallible;
//! use tower::{Layer, ServiceExt, service_fn};
//! use tracing_subscriber::layer::SubscriberExt;
//!
//! let (layer, guard) = LogBuilder::new().build()?.into_layer();
//! let subscriber = tracing_subscriber::registry().with(layer);
//!
//! # tracing::subscriber::with_default(subscriber, || {
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let service = RequestLogLayer::new().layer(service_fn(|_| async {
//!     bind("tenant_id", "acme");
//!     tracing::info!(password = "hunter2", "checking");
//!     Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("hi"))))
//! }));
//! let request = Request::get("/orders?token=4f2a").body(Full::new(Bytes::new())).unwrap();
//! service.oneshot(request).await.unwrap().into_body().collect().await.unwrap();
//! # });
//! # });
//! // {"timestamp":"..","level":"INFO","target":"app","message":"checking","password":"[REDACTED]","tenant_id":"acme"}
//! // {"timestamp":"..","level":"INFO","target":"bartizan::request","message":"request completed","method":"GET",
//! //  "route":"unmatched","path":"/orders","query":"token=[REDACTED]","status":200,"outcome":"ok",..,"tenant_id":"acme"}
//! guard.shutdown(std::time::Duration::from_secs(2));
//! # Ok::<(), bartizan_log::LogError>(())
//! ```
//!
//! # Order
//!
//! The request layer may stand anywhere in a stack; what is further in is part of the request. `bind` works wherever
//! any bartizan layer is further out. Where something between two bartizan layers rewrites the path, or has another task poll what is
//! inside (tower's `Buffer`), let a correlation layer be the outermost: it leaves the record with the request, so that what is further in
//! still finds it. A spawned task leaves the request unless its future is
//! [carried](bartizan_core::Context::carry).
//!
//! # Limits and failure
//!
//! Lines, values, bound fields, waiting bytes: everything has a bound, and a counter that tells when it was reached
//! ([`lines_truncated_total`], [`LogWriter::lines_dropped_total`],
//! [`bound_fields_dropped_total`](bartizan_core::bound_fields_dropped_total)). Output that fails or blocks costs lines,
//! never a request. Whatever a client sends, a line is one valid JSON object.

mod capture;
mod line;
mod panic;
mod request;
mod scope;
mod setup;
mod slow;
mod startup;
mod subscriber;
mod writer;

pub use capture::{
    Capture, CaptureWhen, CapturedBody, CapturedExchange, bodies_refused_total, bodies_truncated_total,
    captured_bytes,
};
pub use line::lines_truncated_total;
pub use panic::{PanicHook, panics_total};
pub use request::{RequestLog, RequestLogExchange, RequestLogLayer};
pub use scope::{ErrorLogged, Scope, bind};
pub use setup::{Log, LogBuilder, LogError, LogFormat, ParseError};
#[cfg(feature = "sqlx")]
pub use slow::sqlx_slow_statements;
pub use slow::{SlowFuture, SlowOperation};
pub use startup::startup_event;
pub use subscriber::{LogFilter, LogLayer};
pub use writer::{LogGuard, LogWriter};
