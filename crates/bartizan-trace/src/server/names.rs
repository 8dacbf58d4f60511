//! Names of spans, made once for each route: a service has few, and asks with every request.

use std::borrow::Cow;
use std::sync::LazyLock;

use bartizan_core::{KnownMethod, Protocol, Record, RouteTable};
use opentelemetry::StringValue;

use super::{attributes, rpc};

/// How many names are kept. They stay for the life of the process.
const KEPT: usize = 1024;

static NAMES: LazyLock<RouteTable<(Protocol, KnownMethod), Kept>> = LazyLock::new(|| RouteTable::new(KEPT));

#[derive(Clone, Copy)]
struct Kept {
    span: &'static str,
    route: &'static str,
}

/// What the span of a request is called.
pub(super) struct Names {
    /// `{method} {route}`, or `{method}` where nothing matched. Of a gRPC call `{package}.{Service}/{Method}`, or `grpc`.
    pub(super) span: Cow<'static, str>,
    /// The matched route as an attribute's value.
    pub(super) route: Option<StringValue>,
}

impl Names {
    pub(super) fn of(record: &Record) -> Self {
        let Some(route) = record.matched_route() else {
            return Self { span: attributes::method(record).into(), route: None };
        };
        match kept(record, route) {
            Some(kept) => Self { span: kept.span.into(), route: Some(kept.route.into()) },
            None => {
                Self { span: made(record, route).into(), route: Some(shown(record, route).to_owned().into()) }
            }
        }
    }
}

fn kept(record: &Record, route: &str) -> Option<Kept> {
    let key = (record.protocol(), record.method());
    let make = || {
        let span: &'static str = Box::leak(made(record, route).into_boxed_str());
        let start = span.len() - shown(record, route).len();
        Kept { span, route: span.get(start..).unwrap_or_default() }
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
