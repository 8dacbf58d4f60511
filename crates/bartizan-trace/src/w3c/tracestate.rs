//! The `tracestate` header: what tracing systems along the way want to keep with the trace.
//!
//! The API's [`TraceState`] is the carrier, because samplers, exporters and other propagators read
//! it there. Its key grammar is that of Level 1, so it refuses some keys that Level 2 allows
//! (`foo@@bar`). Only then the joined header is kept beside it, see [`Parsed::verbatim`].

use http::HeaderValue;
use opentelemetry::trace::TraceState;

use super::OWS;

/// The specification's limit; a list with more members is not valid.
const MAX_MEMBERS: usize = 32;

/// Longest header that is sent on. The specification asks for 512 at least.
const MAX_BYTES: usize = 8192;

/// Members longer than this go first when the header is too long.
const LONG_MEMBER: usize = 128;

/// What was read from the headers of one request.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parsed {
    /// The members that the API can hold.
    pub(crate) state: TraceState,
    /// The whole header, only if the API cannot hold every member.
    pub(crate) verbatim: Option<HeaderValue>,
    /// Repeated members and those that did not fit.
    pub(crate) dropped: usize,
}

/// Joins the headers in order; `None` if the list is not valid and must be discarded whole.
pub(crate) fn parse<'a>(headers: impl Iterator<Item = &'a HeaderValue>) -> Option<Parsed> {
    let mut members = Members::default();
    let mut repeated = 0;
    for header in headers {
        for member in header.to_str().ok()?.split(',') {
            let member = member.trim_matches(OWS);
            // Empty members are allowed: empty headers and doubled commas happen.
            if member.is_empty() {
                continue;
            }
            let (key, value) = member.split_once('=')?;
            if !(valid_key(key) && valid_value(value)) {
                return None;
            }
            if members.contains(key) {
                repeated += 1;
            } else if !members.push(key, value) {
                return None;
            }
        }
    }
    let dropped = repeated + members.fit();
    let state = TraceState::from_key_value(members.iter());
    let verbatim = if state.is_err() { members.header_value() } else { None };
    let state = state.unwrap_or_else(|_| known_to_the_api(&members));
    Some(Parsed { state, verbatim, dropped })
}

/// The header for a state and how many members did not fit; `None` if nothing is left to send.
pub(crate) fn write(state: &TraceState) -> (Option<HeaderValue>, usize) {
    let mut members = Members::default();
    for (key, value) in state {
        members.push(key, value);
    }
    let dropped = members.fit();
    (members.header_value(), dropped)
}

fn known_to_the_api(members: &Members<'_>) -> TraceState {
    let known = members.iter().filter(|member| TraceState::from_key_value([*member]).is_ok());
    TraceState::from_key_value(known).unwrap_or_default()
}

fn valid_key(key: &str) -> bool {
    let lower_or_digit = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    key.len() <= 256
        && key.as_bytes().first().is_some_and(lower_or_digit)
        && key.bytes().all(|byte| lower_or_digit(&byte) || b"_-*/@".contains(&byte))
}

fn valid_value(value: &str) -> bool {
    // The caller has cut at commas and trimmed the end, so neither can be here.
    (1..=256).contains(&value.len()) && value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=')
}

/// Up to [`MAX_MEMBERS`] members in order, on the stack.
#[derive(Default)]
struct Members<'a> {
    slots: [(&'a str, &'a str); MAX_MEMBERS],
    len: usize,
}

impl<'a> Members<'a> {
    /// Adds a member at the end; `false` if there is no room.
    fn push(&mut self, key: &'a str, value: &'a str) -> bool {
        let slot = self.slots.get_mut(self.len);
        let fits = slot.is_some();
        if let Some(slot) = slot {
            *slot = (key, value);
            self.len += 1;
        }
        fits
    }

    fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.slots.iter().take(self.len).copied()
    }

    fn contains(&self, key: &str) -> bool {
        self.iter().any(|(known, _)| known == key)
    }

    /// Length of the header, one comma too many.
    fn bytes(&self) -> usize {
        self.iter().map(member_len).map(|len| len + 1).sum()
    }

    /// Drops members until the header is short enough, and says how many.
    fn fit(&mut self) -> usize {
        let before = self.len;
        let mut at = before;
        while self.bytes() > MAX_BYTES + 1 && at > 0 {
            at -= 1;
            if self.slots.get(at).copied().map_or(0, member_len) > LONG_MEMBER {
                self.slots.copy_within(at + 1.., at);
                self.len -= 1;
            }
        }
        while self.bytes() > MAX_BYTES + 1 {
            self.len -= 1;
        }
        before - self.len
    }

    fn header_value(&self) -> Option<HeaderValue> {
        let mut header = String::with_capacity(self.bytes());
        for (key, value) in self.iter() {
            if !header.is_empty() {
                header.push(',');
            }
            header.push_str(key);
            header.push('=');
            header.push_str(value);
        }
        // A state made by code may hold what no header can; it is then not sent.
        if header.is_empty() { None } else { HeaderValue::try_from(header).ok() }
    }
}

fn member_len((key, value): (&str, &str)) -> usize {
    key.len() + 1 + value.len()
}

#[cfg(test)]
mod tests;
