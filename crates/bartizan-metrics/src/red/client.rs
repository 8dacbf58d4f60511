//! The same on the way out: calls that this service makes, by where they go.
//!
//! ```
//! use bartizan_metrics::{Store, red::ClientRedLayer};
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let store = Store::new();
//! // In place of this service: hyper-util's `Client`, or a tonic channel.
//! let client = ClientRedLayer::new()
//!     .recorder(store.clone())
//!     .layer(service_fn(|_| async { Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from("hi")))) }));
//! let response = client.oneshot(Request::get("http://stock:8080/items").body(Full::new(Bytes::new())).unwrap()).await.unwrap();
//! response.into_body().collect().await.unwrap();
//!
//! let page = String::from_utf8(store.page(&http::HeaderMap::new()).body.to_vec()).unwrap();
//! let labels = r#"{method="GET",outcome="ok",server_address="stock:8080",status="200"}"#;
//! assert!(page.contains(&format!("http_client_requests_total{labels} 1")), "{page}");
//! # });
//! ```
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | `http_client_requests_total` | counter | `method`, `server_address`, `status`, `outcome`, and `error_type` of what failed |
//! | `http_client_request_duration_seconds` | histogram, to the end of the body | `method`, `server_address`, `status` |
//! | `grpc_client_handled_total` | counter | `grpc_service`, `grpc_method`, `grpc_code`, `server_address`, `outcome`, and `error_type` of what failed |
//! | `grpc_client_handling_seconds` | histogram, to the end of the call | `grpc_service`, `grpc_method`, `grpc_code`, `server_address` |
//!
//! `server_address` is the host, with the port if the URL has one; `status` is `none` where no response came. By
//! [`Naming::OpenTelemetry`](crate::Naming::OpenTelemetry) the histograms are called `http.client.request.duration` and
//! `rpc.client.call.duration`, with the attributes of the semantic conventions, and there are no counters.
//!
//! # Limits
//!
//! After [`ClientRedLayer::max_servers`] addresses (100) a new one is `server_address="overflow"`, and so is a combination of labels past
//! [`ClientRedLayer::max_series`] (2 000); `bartizan_series_overflow_total{metric}` counts both. An address longer than 255 bytes
//! is `overflow`, a call without one has `unknown`: generated tonic clients need `with_origin` for it.

mod layer;
mod names;
mod observer;
#[cfg(test)]
mod tests;

pub use layer::ClientRedLayer;
pub use observer::{ClientRed, ClientRedExchange};
