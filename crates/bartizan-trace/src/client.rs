//! Client spans: one a call, from its head to the end of the response's body, and the headers that carry the trace on.
//!
//! ```
//! use bartizan_trace::ClientTraceLayer;
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
//! // In place of this service: hyper-util's `Client`, or a tonic channel.
//! let client = ClientTraceLayer::new(provider.tracer("shop")).layer(service_fn(|request: Request<Full<Bytes>>| async move {
//!     assert!(request.headers().contains_key("traceparent"));
//!     Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from("hi"))))
//! }));
//!
//! let response = client.oneshot(Request::get("http://stock/items?q=1").body(Full::new(Bytes::new())).unwrap()).await.unwrap();
//! response.into_body().collect().await.unwrap();
//! assert_eq!(spans.get_finished_spans().unwrap()[0].name, "GET");
//! # });
//! ```
//!
//! The span is a child of the OpenTelemetry context that is current when the call is made, else a root. It is named `{method}`, or
//! `{method} {template}` where the layer's [`Settings`](bartizan_core::Settings) have a function or a prefix for the URL; a gRPC call
//! is named `{package}.{Service}/{Method}`.
//!
//! | outcome | status of the span | `error.type` |
//! |---|---|---|
//! | `ok`, `upgraded` | unset | |
//! | `client_error`, `server_error` | error | the status, or the gRPC code |
//! | `service_error` | error | why there was no response: see [`Failure`](bartizan_core::Failure) |
//! | `body_error`, `panicked` | error | the outcome |
//! | `cancelled_before_head`, `cancelled_mid_body` | unset: this side went away | the outcome |
//!
//! A gRPC call that this side gave up after its deadline is an error, `DEADLINE_EXCEEDED`. One without an answer has the code that gRPC
//! has for it: `UNAVAILABLE`, `DEADLINE_EXCEEDED` where something took too long, else `UNKNOWN`.
//!
//! # Cost
//!
//! A call that is sampled out gets its headers and nothing else: no span, no attributes. Without a tracer, or where the sampler
//! is certain to drop, the current context is passed on as it is; where there is none, ids are made.
//!
//! # Privacy, order and failure
//!
//! `url.full` goes through the masker, and user info is never in it. Headers of the names that are written are replaced. Put the layer
//! inside of one that retries: each attempt is a call; with [`ResendCount`] in the request's extensions its span says which.

mod attributes;
mod layer;
mod observer;
#[cfg(test)]
mod tests;

pub use layer::ClientTraceLayer;
pub use observer::{ClientTrace, ClientTraceExchange, ResendCount};
