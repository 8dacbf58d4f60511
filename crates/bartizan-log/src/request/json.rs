//! The line of a request's event: what [`FIELDS`](super::event::FIELDS) says, in one go.

use std::mem;
use std::time::Duration;

use super::event::Told;
use super::facts::microseconds;
use super::text::{Parts, Texts};
use crate::line::{Timestamp, decimals, is_plain};

/// Longer ones are not written in one go: cutting what does not fit is left to the line.
const MAX_BYTES: usize = 16 * 1024;
/// More than all keys take, and all values but texts.
const MAX_FIXED: usize = 640;

impl<F: FnOnce() -> Texts> Told<'_, F> {
    /// Writes all that follows the timestamp, to which it leaves room, and says how long the line is by then. `None`,
    /// and nothing that counts is written, where there is something to escape, a body, or too much.
    pub(super) fn write_json(&self, parts: &Parts<'_>, line: &mut Vec<u8>) -> Option<usize> {
        let Self { message, level, ref facts, request_headers, response_headers, bodies, .. } = *self;
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
        let mut fields = Fields { rest: line.get_mut(Timestamp::JSON_LEN..)?, fits: true };
        for part in [
            ",\"level\":\"",
            level.as_str(),
            "\",\"target\":\"bartizan::request\",\"message\":\"",
            message,
            "\",\"method\":\"",
            facts.method,
            "\",\"route\":\"",
            facts.route,
            "\",\"path\":\"",
            parts.path,
            "\"",
        ] {
            fields.put(part);
        }
        fields.word(",\"query\":\"", parts.query);
        fields.integer(",\"status\":", facts.status);
        fields.word(",\"outcome\":\"", facts.outcome);
        fields.milliseconds(",\"duration_ms\":", facts.duration);
        fields.milliseconds(",\"first_byte_ms\":", facts.first_byte);
        fields.word(",\"client_address\":\"", parts.client_address);
        fields.integer(",\"request_bytes\":", facts.request_bytes);
        fields.integer(",\"response_bytes\":", facts.response_bytes);
        fields.word(",\"http_version\":\"", Some(facts.http_version));
        fields.word(",\"user_agent\":\"", parts.user_agent);
        fields.word(",\"error_type\":\"", facts.error_type);
        fields.word(",\"grpc_code\":\"", facts.grpc_code);
        fields.integer(",\"request_messages\":", facts.request_messages);
        fields.integer(",\"response_messages\":", facts.response_messages);
        fields.json(",\"slow\":", facts.slow.then_some("true"));
        fields.json(",\"request_headers\":", request_headers);
        fields.json(",\"response_headers\":", response_headers);
        let Fields { rest, fits } = fields;
        let left = rest.len();
        fits.then(|| line.len() - left)
    }
}

/// The rest of a line. It has room for all of it, so that nothing grows on the way.
struct Fields<'a> {
    rest: &'a mut [u8],
    fits: bool,
}

impl Fields<'_> {
    #[inline]
    fn put(&mut self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        match mem::take(&mut self.rest).split_at_mut_checked(text.len()) {
            Some((place, rest)) => {
                place.copy_from_slice(text);
                self.rest = rest;
            }
            None => self.fits = false,
        }
    }

    /// Text without anything to escape. Its key ends in a quotation mark.
    #[inline]
    fn word(&mut self, key: &'static str, word: Option<&str>) {
        if let Some(word) = word {
            self.put(key);
            self.put(word);
            self.put("\"");
        }
    }

    #[inline]
    fn json(&mut self, key: &'static str, json: Option<&str>) {
        if let Some(json) = json {
            self.put(key);
            self.put(json);
        }
    }

    #[inline]
    fn integer(&mut self, key: &'static str, number: Option<impl itoa::Integer>) {
        if let Some(number) = number {
            self.put(key);
            self.put(itoa::Buffer::new().format(number));
        }
    }

    /// As a float of so many thousandths is written, where it has all their digits.
    #[inline]
    fn milliseconds(&mut self, key: &'static str, duration: Option<Duration>) {
        let thousandths = duration.map(microseconds);
        self.integer(key, thousandths.map(|thousandths| thousandths / 1000));
        if let Some(thousandths) = thousandths {
            let (decimals, len) = decimals(thousandths);
            self.put(decimals.get(..len).unwrap_or_default());
            self.fits &= thousandths < 1_000_000_000_000_000;
        }
    }
}
