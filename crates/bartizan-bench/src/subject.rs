//! What stacks go around: axum's router, and a tonic service.

#[cfg(feature = "peers")]
mod grpc;
mod http;
mod shape;

pub use self::http::HEADERS;
pub(crate) use self::http::send;
pub use self::shape::Shape;
