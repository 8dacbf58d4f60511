//! The line of a request's event: what [`FIELDS`](super::event::FIELDS) says, in one go.

use std::mem;
use std::time::Duration;

use bartizan_core::GrpcCode;
use http::StatusCode;

use super::event::{Told, microseconds, version};
use super::text::Parts;
use crate::line::{Thousandths, Timestamp, is_plain};

/// Longer ones are not written in one go: cutting what does not fit is left to the line.
const MAX_BYTES: usize = 16 * 1024;
/// More than all keys take, and all values but texts, unless every number has twenty digits.
const MAX_FIXED: usize = 512;

impl Told<'_> {
    /// Writes all that follows the timestamp, for which it leaves room, and says how long the line is by then. `begin` is
    /// what comes before the method. `None`, and nothing that counts is written, where there is something to escape, a
    /// body, or too much.
    pub(super) fn write_json(&self, begin: &str, parts: &Parts<'_>, line: &mut Vec<u8>) -> Option<usize> {
        let Self { record, route, end, request_headers, response_headers, bodies } = *self;
        let len = |json: Option<&str>| json.map_or(0, str::len);
        let texts = route.len() + parts.all.len() + len(request_headers) + len(response_headers);
        let room = Timestamp::JSON_LEN + MAX_FIXED + texts;
        let is_plain = is_plain(route.as_bytes()) && is_plain(parts.all.as_bytes());
        if !is_plain || bodies.request.is_some() || bodies.response.is_some() || room > MAX_BYTES {
            return None;
        }
        if line.len() < room {
            line.resize(room, 0);
        }
        let mut fields = Fields(line.get_mut(Timestamp::JSON_LEN..)?);
        fields.put(begin)?;
        fields.put(record.method().as_str())?;
        fields.put("\",\"route\":\"")?;
        fields.put(route)?;
        fields.put("\",\"path\":\"")?;
        fields.put(parts.path)?;
        fields.put("\"")?;
        fields.word(",\"query\":\"", parts.query)?;
        if let Some((ending, _)) = end {
            fields.json(",\"status\":", ending.status.as_ref().map(StatusCode::as_str))?;
            fields.word(",\"outcome\":\"", Some(ending.outcome.as_str()))?;
            fields.milliseconds(",\"duration_ms\":", Some(ending.duration))?;
            fields.milliseconds(",\"first_byte_ms\":", ending.first_byte)?;
        }
        fields.word(",\"client_address\":\"", parts.client_address)?;
        if let Some((ending, _)) = end {
            fields.integer(",\"request_bytes\":", ending.request_bytes)?;
            fields.integer(",\"response_bytes\":", Some(ending.response_bytes))?;
        }
        fields.word(",\"http_version\":\"", Some(version(record.version())))?;
        fields.word(",\"user_agent\":\"", parts.user_agent)?;
        if let Some((ending, slow)) = end {
            fields.word(",\"error_type\":\"", ending.error_type())?;
            fields.word(",\"grpc_code\":\"", ending.grpc_code.map(GrpcCode::as_str))?;
            fields.integer(",\"request_messages\":", ending.request_messages)?;
            fields.integer(",\"response_messages\":", ending.response_messages)?;
            fields.json(",\"slow\":", slow.then_some("true"))?;
        }
        fields.json(",\"request_headers\":", request_headers)?;
        fields.json(",\"response_headers\":", response_headers)?;
        let left = fields.0.len();
        Some(line.len() - left)
    }
}

/// The rest of a line. It has room for all of it, so that nothing grows on the way.
struct Fields<'a>(&'a mut [u8]);

impl Fields<'_> {
    #[inline]
    fn put(&mut self, text: impl AsRef<[u8]>) -> Option<()> {
        let text = text.as_ref();
        let (place, rest) = mem::take(&mut self.0).split_at_mut_checked(text.len())?;
        place.copy_from_slice(text);
        self.0 = rest;
        Some(())
    }

    /// Text without anything to escape. Its key ends in a quotation mark.
    #[inline]
    fn word(&mut self, key: &'static str, word: Option<&str>) -> Option<()> {
        let Some(word) = word else { return Some(()) };
        self.put(key)?;
        self.put(word)?;
        self.put("\"")
    }

    #[inline]
    fn json(&mut self, key: &'static str, json: Option<&str>) -> Option<()> {
        let Some(json) = json else { return Some(()) };
        self.put(key)?;
        self.put(json)
    }

    #[inline]
    fn integer(&mut self, key: &'static str, number: Option<u64>) -> Option<()> {
        let Some(number) = number else { return Some(()) };
        self.put(key)?;
        self.put(itoa::Buffer::new().format(number))
    }

    #[expect(clippy::inline_always, reason = "what it is handed stays in registers")]
    #[inline(always)]
    fn milliseconds(&mut self, key: &'static str, duration: Option<Duration>) -> Option<()> {
        let Some(duration) = duration else { return Some(()) };
        self.put(key)?;
        self.put(Thousandths::of(microseconds(duration))?.as_bytes())
    }
}
