//! Server spans by the OpenTelemetry conventions, context propagation, and OTLP set-up.
//!
//! * [`TraceLayer`]: one span an exchange, from the request's head to the end of the response's body.
//! * [`TraceSettings`]: exporter, sampler and resource, from code and from the standard `OTEL_*` variables.
//! * [`Propagation`]: trace context and baggage off a request and onto the next one, in W3C's headers, and by option in
//!   those of B3 and Jaeger.
//! * [`MaskedExporter`]: any exporter, with what is secret taken off its spans.
//!
//! ```
//! use bartizan_trace::opentelemetry::Context;
//! use bartizan_trace::opentelemetry::trace::TracerProvider;
//! use bartizan_trace::opentelemetry_sdk::trace::SdkTracerProvider;
//! use bartizan_trace::{Propagation, TraceLayer};
//! use bytes::Bytes;
//! use http::{HeaderMap, Request, Response};
//! use http_body_util::Full;
//! use std::convert::Infallible;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let provider = SdkTracerProvider::builder().build();
//! let service = TraceLayer::new(provider.tracer("orders")).layer(service_fn(|_| async {
//!     // The headers of a call to the next service: the server span is its parent.
//!     let mut outgoing = HeaderMap::new();
//!     Propagation::new().inject(&Context::current(), &mut outgoing);
//!     assert!(outgoing["traceparent"].to_str().unwrap().contains("4bf92f3577b34da6a3ce929d0e0e4736"));
//!     Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("hi"))))
//! }));
//!
//! let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
//! let request = Request::get("/orders").header("traceparent", parent).body(Full::new(Bytes::new())).unwrap();
//! let response = service.oneshot(request).await.unwrap();
//! assert_eq!(response.headers()["x-trace-id"], "4bf92f3577b34da6a3ce929d0e0e4736");
//! # });
//! ```
//!
//! # Set-up
//!
//! Off unless `OTEL_EXPORTER_OTLP_ENDPOINT`, or an endpoint in code, says where to. Then the layer records nothing, and still
//! passes context on. See [`setup`] for the variables.
//!
//! ```
//! use bartizan_trace::{Propagation, TraceLayer, TraceSettings};
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tracing = TraceSettings::new().service_name("orders").read_env()?.build()?;
//! let layer = match tracing.tracer() {
//!     Some(tracer) => TraceLayer::new(tracer),
//!     None => TraceLayer::propagate_only(),
//! };
//! let layer = layer.propagation(Propagation::new().read_env()?);
//!
//! // ... serve ...
//!
//! tracing.shutdown(Duration::from_secs(5))?;
//! # Ok(())
//! # }
//! ```
//!
//! # Propagation
//!
//! | [`Format`] | `OTEL_PROPAGATORS` | headers |
//! |---|---|---|
//! | `W3c`, the default | `tracecontext`, `baggage` | `traceparent`, `tracestate`; `baggage` goes with every format |
//! | `B3Single` | `b3` | `b3` |
//! | `B3Multi` | `b3multi` | `x-b3-traceid`, `x-b3-spanid`, `x-b3-sampled`, `x-b3-flags` |
//! | `Jaeger` | `jaeger` | `uber-trace-id`, `uberctx-*`, `jaeger-baggage` (read only) |
//!
//! Several are read in order, the first valid one counts, and all are written; see [`propagation`]. At the edge,
//! [`Propagation::untrusted`] starts every trace anew and links it to the stranger's.
//!
//! # Features
//!
//! None is on by default; without them spans go to the application's own processors only.
//!
//! | feature | what |
//! |---|---|
//! | `axum` | axum's routes and peers, where the layer is the outermost |
//! | `tracing-opentelemetry` | `span_layer`: spans of the `tracing` macros as children of the server span |
//! | `otlp` | both of the next two |
//! | `otlp-grpc` | export over gRPC (tonic) |
//! | `otlp-http` | export as protobuf over HTTP/1.1 (hyper) |
//! | `otlp-tls` | `otlp` to `https` endpoints: rustls with ring, and the roots that Mozilla trusts |
//!
//! # Order
//!
//! Anywhere; what is further in is part of the span. Other layers of a stack learn the ids from the request's record, on either
//! side. A correlation layer has to be further out for its id to be on the span.
//!
//! # Failure
//!
//! Nothing here fails or delays a request. Malformed trace context starts a new trace and is [counted](propagation::counts). A
//! collector that is slow or gone costs spans, which are [counted](Tracing::counts), and a bounded queue. A setting that cannot
//! be used is a [`SetupError`] at the start, which names it, its form and the way out.
//!
//! # One OpenTelemetry
//!
//! Two versions of the OpenTelemetry crates in one program do not see each other's spans. Use the
//! ones that are re-exported here: [`opentelemetry`] and [`opentelemetry_sdk`].

pub mod client;
pub mod conventions;
mod export;
mod hex;
mod mask;
pub mod propagation;
pub mod server;
pub mod setup;
#[cfg(feature = "tracing-opentelemetry")]
mod spans;
pub mod w3c;

pub use opentelemetry;
pub use opentelemetry_sdk;

pub use client::ClientTraceLayer;
pub use mask::MaskedExporter;
pub use propagation::{Extracted, Format, Propagation};
pub use server::{TraceHeader, TraceLayer};
pub use setup::{FlushError, SetupError, SpanCounts, TraceSettings, TraceStatus, Tracing};
#[cfg(feature = "tracing-opentelemetry")]
pub use spans::{SpanLayer, span_layer};
