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
//! What the service read of a request's body is known where the host's body can be counted (axum's and tonic's). Elsewhere, on plain hyper say,
//! the size is the length that the request promises, and a request that promises none, being chunked, has no sample.
//!
//! By [`Naming::OpenTelemetry`] the same data is called `http.server.request.duration`, `http.server.active_requests`,
//! `http.server.request.body.size` and `http.server.response.body.size`, with the attributes of the semantic conventions.
//!
//! # gRPC
//!
//! A gRPC call is not among the HTTP requests. It has the classic family of gRPC servers:
//!
//! | metric | kind | labels beside `grpc_type`, `grpc_service`, `grpc_method` |
//! |---|---|---|
//! | `grpc_server_started_total` | counter | |
//! | `grpc_server_handled_total` | counter | `grpc_code`, `outcome` |
//! | `grpc_server_handling_seconds` | histogram, to the call's status | |
//! | `grpc_server_msg_received_total`, `grpc_server_msg_sent_total` | counter | |
//! | `grpc_server_in_flight` | gauge | |
//!
//! - A layer cannot see whether a method streams: `grpc_type` is always `unknown`.
//! - `outcome` comes on top of the classic labels: it tells a panic from another `INTERNAL`, and a client that went away before
//!   the head from one that did so later. A call that was given up at its deadline is `cancelled_..` with `DEADLINE_EXCEEDED`.
//! - Messages are counted when the call is over: a stream that stays open for hours adds all of its messages at its end.
//! - Methods that are not known are `_OTHER`, see [`Routes`](bartizan_core::Routes#grpc). A method can become known by its first call:
//!   that one is in flight as `_OTHER`, up and down, and counted as started at its end, under its name.
//!
//! By [`Naming::OpenTelemetry`] it is `rpc.server.call.duration` with `rpc.system.name`, `rpc.method`, `rpc.response.status_code` and
//! `error.type`. The conventions have no names for the others, which are `rpc.server.active_calls`, `rpc.server.messages.received` and
//! `rpc.server.messages.sent`.
//!
//! # Exemplars
//!
//! Where the recorder is a [`Store`](crate::Store), or a fan-out with a store in it, each bucket of a duration has the trace id and
//! the span id of a recent exchange that was sampled, as an exemplar in OpenMetrics and in protobuf. A trace layer must have told the
//! ids, on either side of this one. Exchanges that are not sampled pay nothing for it.
//!
//! # Other recorders
//!
//! The layer asks its recorder for counters, gauges and histograms and nothing else, so that any one will do: that of
//! `metrics-exporter-prometheus`, of a StatsD exporter, a fan-out of several. What they leave out, such as exemplars, is left out.
//!
//! # Your own labels, and routes at zero
//!
//! [`RedLayer::label`] adds labels that a function of the request or of the response names, from a bounded set;
//! [`RedLayer::known_routes`] shows series before their first request.
//!
//! # Calls that go out
//!
//! [`ClientRedLayer`] does the same for the calls that a service makes, see [`client`].
//!
//! # Upgrades
//!
//! An exchange that is upgraded ends at its head; [`UpgradedConnection`] measures what comes after.
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

mod bound;
pub mod client;
mod connection;
mod duration;
mod grpc;
mod known;
mod labelled;
mod labels;
mod layer;
mod names;
mod observer;
mod recorders;
#[cfg(test)]
mod tests;

pub use client::{ClientRed, ClientRedExchange, ClientRedLayer};
pub use connection::UpgradedConnection;
pub use labels::{CustomLabel, LabelError, RequestHead, ResponseHead};
pub use layer::RedLayer;
pub use names::Naming;
pub use observer::{Red, RedExchange};
