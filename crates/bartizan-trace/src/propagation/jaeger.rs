//! The format of the Jaeger clients: `uber-trace-id`, and a header for each member of the baggage.
//!
//! The ids may be of any length, and the value percent-encoded. The parent's parent is checked and not
//! used. Of the flags, sampled (1) and debug (2) have a meaning.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageMetadata};
use opentelemetry::trace::{SpanContext, SpanId, TraceId};

use super::extracted::{Extracted, Found, Malformed, one};
use super::sampling::DebugTrace;
use crate::hex;
use crate::w3c::baggage::{self, MAX_BYTES, MAX_MEMBERS, Members};

static UBER_TRACE_ID: HeaderName = HeaderName::from_static("uber-trace-id");
static JAEGER_BAGGAGE: HeaderName = HeaderName::from_static("jaeger-baggage");
const PREFIX: &str = "uberctx-";

/// Length of the longest value: three ids and two digits of flags.
const LONGEST: usize = 32 + 1 + 16 + 1 + 16 + 1 + 2;

const FLAG_SAMPLED: u128 = 1;
const FLAG_DEBUG: u128 = 2;

/// The members past these are not checked for being there already: each check looks at all there are.
const CHECKED: usize = 2 * MAX_MEMBERS;

pub(super) fn read(headers: &HeaderMap) -> Found<Extracted> {
    let Some(value) = one(headers, &UBER_TRACE_ID)? else { return Ok(None) };
    parse(value).map(Some).ok_or(Malformed)
}

fn parse(value: &[u8]) -> Option<Extracted> {
    let mut room = [0; LONGEST];
    let mut fields = unescape(value, &mut room)?.split(|byte| *byte == b':');
    let mut number = |digits: usize| hex::number(fields.next().filter(|field| field.len() <= digits)?);
    let (trace_id, span_id, _parent, flags) = (number(32)?, number(16)?, number(16)?, number(2)?);
    let complete = fields.next().is_none() && trace_id != 0 && span_id != 0;
    complete.then(|| {
        let debug = flags & FLAG_DEBUG != 0;
        let sampled = debug || flags & FLAG_SAMPLED != 0;
        let ids = (TraceId::from(trace_id), SpanId::from(span_id as u64));
        Extracted::new(Some(ids), Some(sampled), debug)
    })
}

/// Undoes percent-encoding; `None` if the result is too long to be valid.
fn unescape<'a>(value: &[u8], room: &'a mut [u8; LONGEST]) -> Option<&'a [u8]> {
    let mut rest = value;
    let mut len = 0;
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = tail.split_at_checked(2).filter(|_| byte == b'%');
        let (byte, tail) = match escaped {
            Some((digits, tail)) => (hex::number(digits)? as u8, tail),
            None => (byte, tail),
        };
        *room.get_mut(len)? = byte;
        len += 1;
        rest = tail;
    }
    room.get(..len)
}

/// Reads the members of `jaeger-baggage` and `uberctx-*`. What is there already stays: where both
/// formats are sent, it is the same member, and only W3C keeps the case of its name and its properties.
pub(super) fn read_baggage(headers: &HeaderMap, members: &mut Members) {
    let lists = headers.get_all(&JAEGER_BAGGAGE).iter();
    let listed = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b','));
    let listed = listed.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty()).map(|member| {
        let pair = str::from_utf8(member).ok().filter(|member| member.is_ascii());
        let pair = pair.and_then(|member| member.split_once('='));
        pair.map_or(("", None), |(key, value)| (key.trim_end(), Some(value.trim_start())))
    });
    let single = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().strip_prefix(PREFIX)?, value.to_str().ok())));
    for (at, (key, value)) in listed.chain(single).enumerate() {
        if at < CHECKED && members.has(key) {
            continue;
        }
        members.add(key.len() + 1 + value.map_or(0, str::len), || {
            let value = value.filter(|_| baggage::valid_key(key))?;
            Some((key, decode(value).into(), BaggageMetadata::default()))
        });
    }
}

/// The first Jaeger clients encode as forms do, where a plus is a space; later ones never send a plus.
fn decode(value: &str) -> String {
    baggage::decode(&value.replace('+', " ")).into_owned()
}

pub(super) fn write(context: &Context, span: &SpanContext, headers: &mut HeaderMap) {
    let mut value = *b"00000000000000000000000000000000:0000000000000000:0:0";
    hex::write_ids(&mut value, span.trace_id(), span.span_id());
    value[52] = match (context.get::<DebugTrace>().is_some(), span.is_sampled()) {
        (true, _) => b'3',
        (false, true) => b'1',
        (false, false) => b'0',
    };
    // Hex digits and colons are always a valid value.
    if let Ok(value) = HeaderValue::from_bytes(&value) {
        headers.insert(&UBER_TRACE_ID, value);
    }
}

/// Takes `uberctx-*` and `jaeger-baggage` off.
pub(super) fn remove_baggage(headers: &mut HeaderMap) {
    let is_old = |name: &&HeaderName| name.as_str().starts_with(PREFIX) || *name == JAEGER_BAGGAGE;
    let old: Vec<HeaderName> = headers.keys().filter(is_old).cloned().collect();
    for name in old {
        headers.remove(name);
    }
}

/// Writes `uberctx-*`, and says how many members no header can hold or did not fit. Properties are lost.
pub(super) fn write_baggage(baggage: &Baggage, headers: &mut HeaderMap) -> usize {
    remove_baggage(headers);
    let (mut bytes, mut dropped) = (0, 0);
    for (key, (value, _)) in baggage {
        let mut encoded = String::with_capacity(value.as_str().len());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        baggage::encode(value.as_str(), plain, &mut encoded);
        let separated = bytes + usize::from(bytes > 0) + key.as_str().len() + 1 + encoded.len();
        let name = HeaderName::try_from([PREFIX, key.as_str()].concat());
        match (name, HeaderValue::try_from(encoded)) {
            (Ok(name), Ok(value)) if separated <= MAX_BYTES => {
                headers.insert(name, value);
                bytes = separated;
            }
            _ => dropped += 1,
        }
    }
    dropped
}

#[cfg(test)]
mod tests;
