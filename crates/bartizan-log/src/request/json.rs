//! The fields of a request's event as a line shows them: what [`FIELDS`](super::event::FIELDS) says, in one go.

use std::time::Duration;

use tracing::Level;

use super::REQUEST_TARGET;
use super::ahead::MAX_BYTES;
use super::event::Told;
use super::facts::{microseconds, milliseconds};
use super::text::Texts;
use crate::line::{push_f64, push_integer, push_json, push_str, push_thousandths};

impl<F: FnOnce() -> Texts> Told<'_, F> {
    /// Appends all that follows the timestamp, and says whether it fitted.
    pub(super) fn push_json(&self, level: Level, out: &mut Vec<u8>) -> bool {
        let Self { message, facts, texts, request_headers, response_headers, bodies, .. } = *self;
        let mut fields = Fields { out, whole: true };
        fields.word(",\"level\":\"", level.as_str());
        fields.word(",\"target\":\"", REQUEST_TARGET);
        fields.word(",\"message\":\"", message);
        fields.word(",\"method\":\"", facts.method);
        fields.text(",\"route\":", Some(facts.route));
        fields.text(",\"path\":", Some(texts.path()));
        fields.text(",\"query\":", texts.query());
        fields.integer(",\"status\":", facts.status);
        fields.words(",\"outcome\":\"", facts.outcome);
        fields.milliseconds(",\"duration_ms\":", facts.duration);
        fields.milliseconds(",\"first_byte_ms\":", facts.first_byte);
        fields.words(",\"client_address\":\"", texts.client_address());
        fields.integer(",\"request_bytes\":", facts.request_bytes);
        fields.integer(",\"response_bytes\":", facts.response_bytes);
        fields.word(",\"http_version\":\"", facts.http_version);
        fields.text(",\"user_agent\":", texts.user_agent());
        fields.words(",\"error_type\":\"", facts.error_type);
        fields.words(",\"grpc_code\":\"", facts.grpc_code);
        fields.integer(",\"request_messages\":", facts.request_messages);
        fields.integer(",\"response_messages\":", facts.response_messages);
        fields.flag(",\"slow\":true", facts.slow);
        fields.json(",\"request_headers\":", request_headers);
        fields.json(",\"response_headers\":", response_headers);
        for (body, key, truncated) in [
            (&bodies.request, ",\"request_body\":", ",\"request_body_truncated\":true"),
            (&bodies.response, ",\"response_body\":", ",\"response_body_truncated\":true"),
        ] {
            fields.text(key, body.as_ref().map(|body| &*body.text));
            fields.flag(truncated, body.as_ref().is_some_and(|body| body.truncated));
        }
        fields.whole
    }
}

struct Fields<'a> {
    out: &'a mut Vec<u8>,
    whole: bool,
}

impl Fields<'_> {
    /// A word of our own. Its key ends in a quotation mark.
    #[inline]
    fn word(&mut self, key: &'static str, word: &str) {
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(word.as_bytes());
        self.out.push(b'"');
    }

    #[inline]
    fn words(&mut self, key: &'static str, word: Option<&str>) {
        if let Some(word) = word {
            self.word(key, word);
        }
    }

    #[inline]
    fn text(&mut self, key: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.out.extend_from_slice(key.as_bytes());
            self.whole &= push_str(self.out, text, MAX_BYTES);
        }
    }

    #[inline]
    fn json(&mut self, key: &'static str, json: Option<&str>) {
        if let Some(json) = json {
            self.out.extend_from_slice(key.as_bytes());
            self.whole &= push_json(self.out, json.as_bytes(), MAX_BYTES);
        }
    }

    #[inline]
    fn integer(&mut self, key: &'static str, number: Option<impl itoa::Integer>) {
        if let Some(number) = number {
            self.out.extend_from_slice(key.as_bytes());
            push_integer(self.out, number);
        }
    }

    #[inline]
    fn milliseconds(&mut self, key: &'static str, duration: Option<Duration>) {
        if let Some(duration) = duration {
            self.out.extend_from_slice(key.as_bytes());
            if !push_thousandths(self.out, microseconds(duration)) {
                push_f64(self.out, milliseconds(duration));
            }
        }
    }

    #[inline]
    fn flag(&mut self, field: &'static str, is_set: bool) {
        if is_set {
            self.out.extend_from_slice(field.as_bytes());
        }
    }
}
