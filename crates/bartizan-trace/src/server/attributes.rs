//! What a server span says, by the HTTP conventions; what it says of a gRPC call is in [`rpc`](super::rpc).

use std::borrow::Cow;
use std::net::IpAddr;

use bartizan_core::{Ending, KnownMethod, Protocol, Record, push_address};
use bartizan_mask::Masker;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Version, header};
use opentelemetry::{KeyValue, StringValue};

use crate::conventions;

/// The most attributes that a server span gets.
pub(super) const MOST: usize = 18;

/// Longest text of an attribute that the client chose, in bytes.
const MAX_TEXT: usize = 2048;

/// The first word of the span's name.
pub(crate) fn method(record: &Record) -> &'static str {
    if record.protocol() == Protocol::Grpc {
        return conventions::GRPC;
    }
    if record.method().is_other() { conventions::HTTP } else { record.method().as_str() }
}

/// The attributes that are known when the request comes in.
pub(super) fn of_request<B>(
    request: &Request<B>,
    record: &Record,
    route: Option<StringValue>,
    masker: &Masker,
    mut set: impl FnMut(KeyValue),
) {
    if record.protocol() == Protocol::Grpc {
        return super::rpc::of_request(request, record, route, set);
    }
    of_method(request, record, &mut set);
    // The route that is found later may be another one, and say of something else that it is a secret.
    let route = route.filter(|_| record.is_routed());
    if let (Some(target), true) = (request.uri().path_and_query(), record.is_routed()) {
        of_target(target, record, masker, &mut set);
    }
    set(KeyValue::new(conventions::URL_SCHEME, if record.is_https() { "https" } else { "http" }));
    of_route(record, route, &mut set);
    of_connection(request, record, &mut set);
    if let Some(agent) = request.headers().get(header::USER_AGENT).and_then(text) {
        // It is masked when it is exported; a beginning alone may show what the whole would not.
        let agent = if agent.len() > MAX_TEXT { masker.text_cow(agent) } else { Cow::Borrowed(agent) };
        set(KeyValue::new(conventions::USER_AGENT_ORIGINAL, cut(agent)));
    }
}

/// Path and query, masked by the rules of the route.
pub(super) fn of_target(
    target: &PathAndQuery,
    record: &Record,
    masker: &Masker,
    mut set: impl FnMut(KeyValue),
) {
    let masker = masker.for_route(record.route());
    set(KeyValue::new(conventions::URL_PATH, cut(masker.path_cow(target.path(), record.route()))));
    if let Some(query) = target.query() {
        set(KeyValue::new(conventions::URL_QUERY, cut(masker.query_cow(query))));
    }
}

/// What HTTP and gRPC have in common.
pub(super) fn of_connection<B>(request: &Request<B>, record: &Record, set: &mut impl FnMut(KeyValue)) {
    if let Some(version) = version(request.version()) {
        set(KeyValue::new(conventions::NETWORK_PROTOCOL_VERSION, version));
    }
    if let Some(client) = record.client_address() {
        set(KeyValue::new(conventions::CLIENT_ADDRESS, address(client)));
    }
    if let Some(peer) = record.peer_address() {
        set(KeyValue::new(conventions::NETWORK_PEER_ADDRESS, address(peer.ip())));
        set(KeyValue::new(conventions::NETWORK_PEER_PORT, i64::from(peer.port())));
    }
    if let Some((address, port)) = server(request) {
        set(KeyValue::new(conventions::SERVER_ADDRESS, address));
        if let Some(port) = port {
            set(KeyValue::new(conventions::SERVER_PORT, i64::from(port)));
        }
    }
    if let Some(id) = record.correlation_id() {
        set(KeyValue::new("correlation_id", id.as_str().to_owned()));
    }
}

/// The method, and a made up one as it was sent.
pub(crate) fn of_method<B>(request: &Request<B>, record: &Record, mut set: impl FnMut(KeyValue)) {
    set(KeyValue::new(conventions::HTTP_REQUEST_METHOD, record.method().as_str()));
    if record.method() == KnownMethod::OTHER {
        let original = cut(Cow::Borrowed(request.method().as_str()));
        set(KeyValue::new(conventions::HTTP_REQUEST_METHOD_ORIGINAL, original));
    }
}

/// The route, if there is one.
pub(super) fn of_route(record: &Record, route: Option<StringValue>, mut set: impl FnMut(KeyValue)) {
    if let Some(route) = route {
        set(match record.protocol() {
            Protocol::Http => KeyValue::new(conventions::HTTP_ROUTE, route),
            Protocol::Grpc => KeyValue::new(conventions::RPC_METHOD, route),
        });
    }
}

/// The attributes that are known when the exchange is over.
pub(super) fn of_ending(ending: &Ending, mut set: impl FnMut(KeyValue)) {
    match (ending.grpc_code, ending.status) {
        (Some(code), _) => set(KeyValue::new(conventions::RPC_RESPONSE_STATUS_CODE, code.as_str())),
        (None, Some(status)) => {
            set(KeyValue::new(conventions::HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16())));
        }
        (None, None) => {}
    }
    if let Some(kind) = ending.error_type() {
        set(KeyValue::new(conventions::ERROR_TYPE, kind.to_owned()));
    }
    set(KeyValue::new("outcome", ending.outcome.as_str()));
}

/// The host and port that the client asked for: the URI's, else the `Host` header's.
pub(crate) fn server<B>(request: &Request<B>) -> Option<(StringValue, Option<u16>)> {
    if let Some(authority) = request.uri().authority() {
        return Some((cut(Cow::Borrowed(authority.host())), authority.port_u16()));
    }
    let host = text(request.headers().get(header::HOST)?)?;
    // Most have neither sign, which a single pass tells, several bytes at once.
    let plain = host.bytes().fold(0, |any, byte| any | u8::from(byte == b'@') | u8::from(byte == b':')) == 0;
    let (name, port) = if plain { (host, None) } else { name_and_port(host) };
    (!name.is_empty()).then(|| (cut(Cow::Borrowed(name)), port))
}

fn name_and_port(host: &str) -> (&str, Option<u16>) {
    // User info is no part of a host, and nobody's business.
    let host = host.rsplit('@').next().unwrap_or_default();
    match host.rsplit_once(':') {
        // A colon inside brackets belongs to an IPv6 address.
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
        _ => (host, None),
    }
}

fn address(ip: IpAddr) -> StringValue {
    let mut text = String::with_capacity("255.255.255.255".len());
    push_address(&mut text, ip);
    text.into()
}

fn text(value: &HeaderValue) -> Option<&str> {
    str::from_utf8(value.as_bytes()).ok()
}

pub(crate) fn version(version: Version) -> Option<&'static str> {
    Some(match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => return None,
    })
}

/// Bounds a text that the client chose, on a character's boundary.
pub(crate) fn cut(text: Cow<'_, str>) -> StringValue {
    if text.len() <= MAX_TEXT {
        return text.into_owned().into();
    }
    let end = text.floor_char_boundary(MAX_TEXT);
    text.get(..end).unwrap_or_default().to_owned().into()
}
