//! What a server span says of a gRPC call, by the RPC conventions.

use bartizan_core::Record;
use bartizan_mask::Masker;
use http::Request;
use http::uri::PathAndQuery;
use opentelemetry::{KeyValue, StringValue};

use super::attributes;
use crate::conventions;

/// The name of a method by its path: `{package}.{Service}/{Method}`.
pub(super) fn method(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path)
}

/// The attributes that are known when the call comes in. URL and headers are not for RPC spans.
pub(super) fn of_request<B>(
    request: &Request<B>,
    record: &Record,
    route: Option<StringValue>,
    mut set: impl FnMut(KeyValue),
) {
    set(KeyValue::new(conventions::RPC_SYSTEM_NAME, conventions::GRPC));
    attributes::of_route(record, route, &mut set);
    attributes::of_connection(request, record, &mut set);
}

/// The method of a call that turned out not to be known.
pub(super) fn of_unknown_method(
    path: &PathAndQuery,
    record: &Record,
    masker: &Masker,
    mut set: impl FnMut(KeyValue),
) {
    set(KeyValue::new(conventions::RPC_METHOD, conventions::OTHER));
    let original = masker.path_cow(path.path(), record.route());
    let original = match original.strip_prefix('/') {
        Some(method) => method.to_owned().into(),
        None => original,
    };
    set(KeyValue::new(conventions::RPC_METHOD_ORIGINAL, attributes::cut(original)));
}
