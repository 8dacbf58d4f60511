//! Names of spans, made once for each route: a service has few, and asks with every request.

use std::borrow::Cow;
use std::sync::LazyLock;

use bartizan_core::{KnownMethod, Protocol, Record, RouteTable};
use opentelemetry::StringValue;

use super::{attributes, rpc};

/// How many names are kept. They stay for the life of the process.
const KEPT: usize = 1024;

static NAMES: LazyLock<RouteTable<(Protocol, KnownMethod), Names>> = LazyLock::new(|| RouteTable::new(KEPT));

#[derive(Clone, Copy)]
struct Names {
    span: &'static str,
    route: &'static str,
}

/// `{method} {route}`, or `{method}` where nothing matched. Of a gRPC call `{package}.{Service}/{Method}`, or `grpc`.
pub(super) fn of_span(record: &Record) -> Cow<'static, str> {
    let Some(route) = record.matched_route() else { return attributes::method(record).into() };
    match kept(record, route) {
        Some(names) => names.span.into(),
        None => made(record, route).into(),
    }
}

/// The matched route as an attribute's value.
pub(super) fn of_route(record: &Record) -> Option<StringValue> {
    let route = record.matched_route()?;
    Some(match kept(record, route) {
        Some(names) => names.route.into(),
        None => shown(record, route).to_owned().into(),
    })
}

fn kept(record: &Record, route: &str) -> Option<Names> {
    let key = (record.protocol(), record.method());
    let make = || {
        let span: &'static str = Box::leak(made(record, route).into_boxed_str());
        let start = span.len() - shown(record, route).len();
        Names { span, route: span.get(start..).unwrap_or_default() }
    };
    NAMES.get_or_make(key, route, KEPT, make).copied()
}

fn made(record: &Record, route: &str) -> String {
    match record.protocol() {
        Protocol::Grpc => rpc::method(route).to_owned(),
        Protocol::Http => [attributes::method(record), " ", route].concat(),
    }
}

/// The route as the span shows it.
fn shown<'r>(record: &Record, route: &'r str) -> &'r str {
    if record.protocol() == Protocol::Grpc { rpc::method(route) } else { route }
}
