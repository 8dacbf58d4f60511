//! Server spans: one a request, from its head to the end of its body.
//!
//! ```
//! use bartizan_trace::TraceLayer;
//! use bartizan_trace::opentelemetry::trace::TracerProvider;
//! use bartizan_trace::opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let spans = InMemorySpanExporter::default();
//! let provider = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
//! let service = TraceLayer::new(provider.tracer("shop"))
//!     .layer(service_fn(|_| async { Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from("hi")))) }));
//!
//! let response = service.oneshot(Request::new(Full::new(Bytes::new()))).await.unwrap();
//! assert!(response.headers().contains_key("x-trace-id"));
//! assert!(spans.get_finished_spans().unwrap().is_empty(), "the body is still to come");
//! response.into_body().collect().await.unwrap();
//! assert_eq!(spans.get_finished_spans().unwrap()[0].name, "GET");
//! # });
//! ```
//!
//! The span is named `{method} {route}`, is current while the service and its body are polled, and has the attributes of the HTTP
//! conventions. It ends with the exchange: its duration is the one of the metrics and the log line.
//!
//! The span of a gRPC call is named `{package}.{Service}/{Method}`, or `grpc` where the method is not known (see
//! [`Routes`](bartizan_core::Routes#grpc)), and has the attributes of the RPC conventions instead. Its status is an error for the six
//! codes that the conventions blame on the server, and for a call that was given up at its deadline.
//!
//! | outcome | status of the span | `error.type` |
//! |---|---|---|
//! | `ok`, `upgraded`, `client_error` | unset | |
//! | `server_error` | error | the status, as text |
//! | `body_error`, `service_error`, `panicked` | error | the outcome |
//! | `cancelled_before_head`, `cancelled_mid_body` | unset: the client may go away | the outcome |
//!
//! # Privacy
//!
//! `url.path` and `url.query` go through the masker, by the rules of the route. Where that is not certain when the request comes in, all
//! three are set at its end, and no sampler sees them. Other headers than `User-Agent` and `Host` are not looked at.
//! [`Propagation::untrusted`](crate::Propagation::untrusted) is for the edge.
//!
//! # Cost, order and failure
//!
//! A request that is sampled out gets its ids, and neither a name nor attributes. Inside of a
//! [`CorrelationLayer`](https://docs.rs/bartizan-correlation), the span carries the correlation id. Malformed context never fails a
//! request.

pub(crate) mod attributes;
mod layer;
mod names;
mod observer;
mod rpc;
#[cfg(test)]
mod tests;

pub use layer::{TraceHeader, TraceLayer};
pub use observer::{Trace, TraceExchange, current_ids};
pub(crate) use observer::{dropped, drops, ids};
