//! B3, the format of Zipkin, in one header or in several.
//!
//! Reading is lenient where clients are known to differ (upper case, `true`, short trace ids), and
//! refuses the rest. The parent's parent is checked, because nonsense there means that the sender is
//! broken, but not used: OpenTelemetry gives each side of a call a span of its own.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceId};

use super::extracted::{Extracted, Found, Malformed, one};
use super::sampling::{DebugTrace, is_open};
use crate::hex;

static B3: HeaderName = HeaderName::from_static("b3");
static TRACE_ID: HeaderName = HeaderName::from_static("x-b3-traceid");
static SPAN_ID: HeaderName = HeaderName::from_static("x-b3-spanid");
static PARENT_ID: HeaderName = HeaderName::from_static("x-b3-parentspanid");
static SAMPLED: HeaderName = HeaderName::from_static("x-b3-sampled");
static FLAGS: HeaderName = HeaderName::from_static("x-b3-flags");

/// Length of the longest single header: both ids, a state and the parent's parent.
const LONGEST: usize = 32 + 1 + 16 + 1 + 1 + 1 + 16;

/// What B3 calls the sampling state.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Defer,
    Deny,
    Accept,
    Debug,
}

impl State {
    fn parse(state: &[u8]) -> Option<Self> {
        match state {
            b"0" => Some(Self::Deny),
            b"1" => Some(Self::Accept),
            b"d" | b"D" => Some(Self::Debug),
            _ => None,
        }
    }

    fn of(context: &Context, span: &SpanContext) -> Self {
        if context.get::<DebugTrace>().is_some() {
            Self::Debug
        } else if is_open(context) {
            Self::Defer
        } else if span.is_sampled() {
            Self::Accept
        } else {
            Self::Deny
        }
    }

    fn with(self, ids: Option<(TraceId, SpanId)>) -> Extracted {
        let decision = match self {
            Self::Defer => None,
            Self::Deny => Some(false),
            Self::Accept | Self::Debug => Some(true),
        };
        Extracted::new(ids, decision, self == Self::Debug)
    }
}

pub(super) fn read(headers: &HeaderMap) -> Found<Extracted> {
    match single(headers) {
        Ok(None) => multi(headers),
        Err(Malformed) => multi(headers)?.map(Some).ok_or(Malformed),
        found => found,
    }
}

fn single(headers: &HeaderMap) -> Found<Extracted> {
    let Some(value) = one(headers, &B3)? else { return Ok(None) };
    if let Some(state) = State::parse(value) {
        return Ok(Some(state.with(None)));
    }
    parse_single(value).map(Some).ok_or(Malformed)
}

fn parse_single(value: &[u8]) -> Option<Extracted> {
    let mut fields = Some(value).filter(|value| value.len() <= LONGEST)?.split(|byte| *byte == b'-');
    let ids = (trace_id(fields.next()?)?, span_id(fields.next()?)?);
    let state = fields.next().map_or(Some(State::Defer), State::parse)?;
    let parent = fields.next().is_none_or(is_parent);
    (parent && fields.next().is_none()).then(|| state.with(Some(ids)))
}

fn multi(headers: &HeaderMap) -> Found<Extracted> {
    let state = multi_state(one(headers, &SAMPLED)?, one(headers, &FLAGS)?)?;
    let parent = one(headers, &PARENT_ID)?;
    let ids = match (one(headers, &TRACE_ID)?, one(headers, &SPAN_ID)?) {
        (Some(trace), Some(span)) => trace_id(trace).zip(span_id(span)),
        (None, None) if parent.is_none() => {
            return Ok((state != State::Defer).then(|| state.with(None)));
        }
        _ => None,
    };
    let ids = ids.filter(|_| parent.is_none_or(is_parent)).ok_or(Malformed)?;
    Ok(Some(state.with(Some(ids))))
}

fn multi_state(sampled: Option<&[u8]>, flags: Option<&[u8]>) -> Result<State, Malformed> {
    let sampled = match sampled {
        None => State::Defer,
        Some(b"1") => State::Accept,
        Some(b"0") => State::Deny,
        // What tracers wrote before there was a specification.
        Some(value) if value.eq_ignore_ascii_case(b"true") => State::Accept,
        Some(value) if value.eq_ignore_ascii_case(b"false") => State::Deny,
        Some(_) => return Err(Malformed),
    };
    // Any other value of the flags is to be ignored; debug implies that the trace is sampled.
    Ok(if flags == Some(b"1") { State::Debug } else { sampled })
}

/// A short trace id is the right half of one whose left half is zero.
fn trace_id(digits: &[u8]) -> Option<TraceId> {
    let id = hex::number(Some(digits).filter(|digits| matches!(digits.len(), 16 | 32))?)?;
    Some(TraceId::from(id)).filter(|id| *id != TraceId::INVALID)
}

fn span_id(digits: &[u8]) -> Option<SpanId> {
    let id = hex::number(Some(digits).filter(|digits| digits.len() == 16)?)?;
    Some(SpanId::from(id as u64)).filter(|id| *id != SpanId::INVALID)
}

/// Zero is how some say that there is none.
fn is_parent(digits: &[u8]) -> bool {
    digits.len() == 16 && hex::number(digits).is_some()
}

pub(super) fn write_single(context: &Context, span: &SpanContext, headers: &mut HeaderMap) {
    let mut value = *b"00000000000000000000000000000000-0000000000000000-0";
    hex::write_ids(&mut value, span.trace_id(), span.span_id());
    let value = match State::of(context, span) {
        State::Defer => &value[..49],
        state => {
            value[50] = match state {
                State::Debug => b'd',
                State::Accept => b'1',
                _ => b'0',
            };
            &value[..]
        }
    };
    insert(headers, &B3, value);
}

/// The parent's parent is not sent, as OpenTelemetry has it.
pub(super) fn write_multi(context: &Context, span: &SpanContext, headers: &mut HeaderMap) {
    let mut ids = [0; 49];
    hex::write_ids(&mut ids, span.trace_id(), span.span_id());
    insert(headers, &TRACE_ID, &ids[..32]);
    insert(headers, &SPAN_ID, &ids[33..]);
    let (name, state) = match State::of(context, span) {
        State::Defer => return,
        State::Debug => (&FLAGS, "1"),
        State::Accept => (&SAMPLED, "1"),
        State::Deny => (&SAMPLED, "0"),
    };
    headers.insert(name, HeaderValue::from_static(state));
}

/// Takes the headers of both forms off, since one that stayed would be read together with, or in
/// place of, those that are written.
pub(super) fn clear(headers: &mut HeaderMap) {
    for name in [&B3, &TRACE_ID, &SPAN_ID, &PARENT_ID, &SAMPLED, &FLAGS] {
        headers.remove(name);
    }
}

fn insert(headers: &mut HeaderMap, name: &HeaderName, ascii: &[u8]) {
    // Hex digits and dashes are always a valid value.
    if let Ok(value) = HeaderValue::from_bytes(ascii) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests;
