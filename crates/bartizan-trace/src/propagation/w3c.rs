//! `traceparent` and `tracestate` on a request.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceId, TraceState};

use super::counts::{count_dropped, count_rejected_state};
use super::extracted::{Extracted, Found, Malformed};
use super::replace;
use crate::w3c::{TraceParent, tracestate};

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
pub(super) static BAGGAGE: HeaderName = HeaderName::from_static("baggage");

/// Among more headers than this, names are looked up.
const FEW: usize = 16;

/// The headers of W3C on a request. Among few they are found in one pass, which costs less than to hash three names.
#[derive(Default)]
pub(super) struct Headers<'h> {
    parent: Option<&'h HeaderValue>,
    repeated: bool,
    state: bool,
    pub(super) baggage: bool,
}

impl<'h> Headers<'h> {
    #[inline]
    pub(super) fn of(headers: &'h HeaderMap) -> Self {
        if headers.keys_len() > FEW {
            return Self::looked_up(headers);
        }
        let mut found = Self::default();
        for (name, value) in headers {
            match name.as_str() {
                "traceparent" => found.repeated = found.parent.replace(value).is_some(),
                "tracestate" => found.state = true,
                "baggage" => found.baggage = true,
                _ => {}
            }
        }
        found
    }

    fn looked_up(headers: &'h HeaderMap) -> Self {
        let mut parents = headers.get_all(&TRACEPARENT).iter();
        let (parent, repeated) = (parents.next(), parents.next().is_some());
        let state = parent.is_some() && headers.contains_key(&TRACESTATE);
        Self { parent, repeated, state, baggage: headers.contains_key(&BAGGAGE) }
    }
}

/// The format of most requests, so what it finds is written in place.
#[inline]
pub(super) fn read(headers: &HeaderMap, found: &Headers<'_>, extracted: &mut Extracted) -> Found<()> {
    let Some(value) = found.parent else { return Ok(None) };
    if found.repeated {
        return Err(Malformed);
    }
    let parent = TraceParent::parse(value.as_bytes().trim_ascii()).ok_or(Malformed)?;
    let state = if found.state {
        let parsed = state(headers);
        extracted.verbatim = parsed.verbatim;
        parsed.state
    } else {
        TraceState::NONE
    };
    extracted.span_context = Some(parent.span_context(state));
    extracted.decision = Some(parent.flags().is_sampled());
    Ok(Some(()))
}

pub(super) fn write(context: &Context, span: &SpanContext, headers: &mut HeaderMap) {
    if let Some(parent) = TraceParent::from_span_context(span) {
        headers.insert(&TRACEPARENT, parent.to_header_value());
        replace(headers, &TRACESTATE, state_header(context, span));
    }
}

/// The `tracestate` of a trace as it came in, for members that the API's type cannot hold.
#[derive(Debug)]
pub(super) struct Verbatim {
    trace_id: TraceId,
    state: TraceState,
    header: HeaderValue,
}

impl Verbatim {
    pub(super) fn new(header: HeaderValue, parent: &SpanContext) -> Self {
        Self { trace_id: parent.trace_id(), state: parent.trace_state().clone(), header }
    }
}

fn state(headers: &HeaderMap) -> tracestate::Parsed {
    let parsed = tracestate::parse(headers.get_all(&TRACESTATE).iter());
    if parsed.is_none() {
        count_rejected_state();
    }
    let parsed = parsed.unwrap_or_default();
    count_dropped(parsed.dropped);
    parsed
}

fn state_header(context: &Context, span: &SpanContext) -> Option<HeaderValue> {
    // Not for another trace, and not if someone changed the state in between.
    let unchanged = |came: &&Verbatim| came.trace_id == span.trace_id() && came.state == *span.trace_state();
    if let Some(came) = context.get::<Verbatim>().filter(unchanged) {
        return Some(came.header.clone());
    }
    let (header, dropped) = tracestate::write(span.trace_state());
    count_dropped(dropped);
    header
}
