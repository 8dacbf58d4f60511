//! What a client span says, by the HTTP and the RPC conventions.

use std::borrow::Cow;

use bartizan_core::{Ending, Protocol, Record};
use bartizan_mask::Masker;
use http::{Request, Response, Uri};
use opentelemetry::KeyValue;

use super::observer::ResendCount;
use crate::conventions;
use crate::server::attributes::{cut, method, of_method, server, version};

/// The most attributes that a client span gets.
pub(super) const MOST: usize = 14;

/// The name that costs nothing.
pub(super) fn short_name(record: &Record) -> &'static str {
    match record.protocol() {
        Protocol::Http => method(record),
        Protocol::Grpc => conventions::GRPC,
    }
}

/// The longer name, if there is one.
pub(super) fn name(uri: &Uri, record: &Record) -> Option<String> {
    match record.protocol() {
        Protocol::Grpc => Some(rpc_method(uri).into_owned()),
        Protocol::Http => Some([method(record), " ", record.matched_route()?].concat()),
    }
}

/// `{package}.{Service}/{Method}`.
fn rpc_method(uri: &Uri) -> Cow<'_, str> {
    let path = uri.path().strip_prefix('/').unwrap_or(uri.path());
    // Paths are ASCII, so that every byte is a boundary.
    Cow::Borrowed(path.get(..path.len().min(256)).unwrap_or(conventions::OTHER))
}

/// The attributes that are known when the call is made.
pub(super) fn of_request<B>(
    request: &Request<B>,
    record: &Record,
    masker: &Masker,
    mut set: impl FnMut(KeyValue),
) {
    match record.protocol() {
        Protocol::Grpc => {
            set(KeyValue::new(conventions::RPC_SYSTEM_NAME, conventions::GRPC));
            set(KeyValue::new(conventions::RPC_METHOD, rpc_method(request.uri()).into_owned()));
        }
        Protocol::Http => {
            of_method(request, record, &mut set);
            set(KeyValue::new(conventions::URL_FULL, cut(Cow::Owned(url(request.uri(), record, masker)))));
            if let Some(template) = record.matched_route() {
                set(KeyValue::new(conventions::URL_TEMPLATE, template.to_owned()));
            }
            if let Some(ResendCount(count)) = request.extensions().get()
                && *count > 0
            {
                set(KeyValue::new(conventions::HTTP_REQUEST_RESEND_COUNT, i64::from(*count)));
            }
        }
    }
    if let Some((address, port)) = server(request) {
        set(KeyValue::new(conventions::SERVER_ADDRESS, address));
        let port = port.or_else(|| default_port(request.uri()));
        if let Some(port) = port {
            set(KeyValue::new(conventions::SERVER_PORT, i64::from(port)));
        }
    }
    if let Some(id) = record.correlation_id() {
        set(KeyValue::new("correlation_id", id.as_str().to_owned()));
    }
}

/// The version is the connection's, which only the response tells.
pub(super) fn of_response<B>(response: &Response<B>, mut set: impl FnMut(KeyValue)) {
    if let Some(version) = version(response.version()) {
        set(KeyValue::new(conventions::NETWORK_PROTOCOL_VERSION, version));
    }
}

/// The attributes that are known when the call is over.
pub(super) fn of_ending(ending: &Ending, record: &Record, mut set: impl FnMut(KeyValue)) {
    match (record.protocol(), ending.status, ending.grpc_code) {
        (Protocol::Http, Some(status), _) => {
            set(KeyValue::new(conventions::HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16())));
        }
        (Protocol::Grpc, _, Some(code)) => {
            set(KeyValue::new(conventions::RPC_RESPONSE_STATUS_CODE, code.as_str()));
        }
        _ => {}
    }
    if let Some(kind) = ending.error_type() {
        set(KeyValue::new(conventions::ERROR_TYPE, kind.to_owned()));
    }
    set(KeyValue::new("outcome", ending.outcome.as_str()));
}

fn default_port(uri: &Uri) -> Option<u16> {
    match uri.scheme_str() {
        Some("http") => Some(80),
        Some("https") => Some(443),
        _ => None,
    }
}

/// The whole URL without its secrets.
fn url(uri: &Uri, record: &Record, masker: &Masker) -> String {
    let masker = masker.for_route(record.route());
    let path = masker.path_cow(uri.path(), record.route());
    let query = uri.query().map(|query| masker.query_cow(query));
    let scheme = uri.scheme_str().unwrap_or_default();
    let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let (hidden, host) = match authority.rsplit_once('@') {
        Some((_, host)) => ("REDACTED:REDACTED@", host),
        None => ("", authority),
    };
    let separator = if authority.is_empty() { "" } else { "://" };
    let (mark, query) = query.as_deref().map_or(("", ""), |query| ("?", query));
    [scheme, separator, hidden, host, &path, mark, query].concat()
}
