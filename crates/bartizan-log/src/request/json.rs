//! The line of a request's event: what [`FIELDS`](super::event::FIELDS) says, in one go.

use std::mem;

use http::StatusCode;

use super::event::Told;
use super::text::Parts;
use crate::line::{Thousandths, Timestamp, is_plain};

/// Longer ones are not written in one go: cutting what does not fit is left to the line.
const MAX_BYTES: usize = 16 * 1024;
/// More than all keys take, and all values but texts.
const MAX_FIXED: usize = 640;

impl Told<'_> {
    /// Writes all that follows the timestamp, to which it leaves room, and says how long the line is by then. `None`,
    /// and nothing that counts is written, where there is something to escape, a body, or too much.
    pub(super) fn write_json(&self, parts: &Parts<'_>, line: &mut Vec<u8>) -> Option<usize> {
        let Self { sort, facts, request_headers, response_headers, bodies } = *self;
        let len = |json: Option<&str>| json.map_or(0, str::len);
        let texts = facts.route.len() + parts.all.len() + len(request_headers) + len(response_headers);
        let room = Timestamp::JSON_LEN + MAX_FIXED + texts;
        let is_plain = is_plain(facts.route.as_bytes()) && is_plain(parts.all.as_bytes());
        if !is_plain || bodies.request.is_some() || bodies.response.is_some() || room > MAX_BYTES {
            return None;
        }
        if line.len() < room {
            line.resize(room, 0);
        }
        let mut fields = Fields(line.get_mut(Timestamp::JSON_LEN..)?);
        fields.put(sort.json)?;
        fields.put(facts.method)?;
        fields.put("\",\"route\":\"")?;
        fields.put(facts.route)?;
        fields.put("\",\"path\":\"")?;
        fields.put(parts.path)?;
        fields.put("\"")?;
        fields.word(",\"query\":\"", parts.query)?;
        fields.json(",\"status\":", facts.status.as_ref().map(StatusCode::as_str))?;
        fields.word(",\"outcome\":\"", facts.outcome)?;
        for (key, thousandths) in
            [(",\"duration_ms\":", facts.duration_us), (",\"first_byte_ms\":", facts.first_byte_us)]
        {
            fields.milliseconds(key, thousandths)?;
        }
        fields.word(",\"client_address\":\"", parts.client_address)?;
        fields.integer(",\"request_bytes\":", facts.request_bytes)?;
        fields.integer(",\"response_bytes\":", facts.response_bytes)?;
        fields.word(",\"http_version\":\"", Some(facts.http_version))?;
        fields.word(",\"user_agent\":\"", parts.user_agent)?;
        fields.word(",\"error_type\":\"", facts.error_type)?;
        fields.word(",\"grpc_code\":\"", facts.grpc_code)?;
        fields.integer(",\"request_messages\":", facts.request_messages)?;
        fields.integer(",\"response_messages\":", facts.response_messages)?;
        fields.json(",\"slow\":", facts.slow.then_some("true"))?;
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
    fn milliseconds(&mut self, key: &'static str, microseconds: Option<u64>) -> Option<()> {
        let Some(microseconds) = microseconds else { return Some(()) };
        self.put(key)?;
        self.put(Thousandths::of(microseconds)?.as_bytes())
    }
}
