//! Captured exchanges as an HTTP Archive, version 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>).

use std::time::Duration;

use super::exchange::{CapturedBody, CapturedExchange};
use crate::line::{Timestamp, push_f64, push_integer, push_str};

pub(super) fn document(exchanges: &[CapturedExchange]) -> String {
    let mut out = Object::new(Vec::new());
    out.object("log", |log| {
        log.text("version", "1.2");
        log.object("creator", |creator| {
            creator.text("name", "bartizan");
            creator.text("version", env!("CARGO_PKG_VERSION"));
        });
        log.list("entries", exchanges, entry);
    });
    // It is valid: strings and ASCII were put together.
    String::from_utf8(out.end()).unwrap_or_default()
}

fn entry(entry: &mut Object, exchange: &CapturedExchange) {
    let ending = &exchange.ending;
    entry.text(
        "startedDateTime",
        str::from_utf8(Timestamp::of(exchange.started).as_bytes()).unwrap_or_default(),
    );
    entry.milliseconds("time", ending.duration);
    entry.object("request", |out| request(out, exchange));
    entry.object("response", |out| response(out, exchange));
    entry.object("cache", |_| {});
    entry.object("timings", |timings| {
        let waited = exchange.waited();
        timings.milliseconds("send", Duration::ZERO);
        timings.milliseconds("wait", waited);
        timings.milliseconds("receive", ending.duration.saturating_sub(waited));
    });
    let id = exchange.correlation_id.as_deref().unwrap_or("-");
    entry.text(
        "comment",
        &format!("route {}, outcome {}, correlation id {id}", exchange.route, ending.outcome),
    );
}

fn request(out: &mut Object, exchange: &CapturedExchange) {
    out.text("method", exchange.method);
    out.text("url", &exchange.url);
    out.text("httpVersion", exchange.http_version);
    // Cookies are among the headers, and masked there.
    out.list("cookies", &[], |_, (): &()| {});
    out.list("headers", &exchange.request_headers, header);
    let query = exchange.url.split_once('?').map_or("", |(_, query)| query);
    let pairs: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    out.list("queryString", &pairs, |out, pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        out.text("name", name);
        out.text("value", value);
    });
    if let Some(body) = &exchange.request_body {
        out.object("postData", |out| {
            out.text("mimeType", body.media_type.as_deref().unwrap_or_default());
            out.text("text", &body.text);
            comment(out, body);
        });
    }
    out.integer("headersSize", -1);
    out.integer("bodySize", exchange.ending.request_bytes.map_or(-1, length));
}

fn response(out: &mut Object, exchange: &CapturedExchange) {
    let ending = &exchange.ending;
    // Without a head there was no response: HAR has 0 for that.
    out.integer("status", ending.status.map_or(0, |status| i64::from(status.as_u16())));
    out.text("statusText", ending.status.and_then(|status| status.canonical_reason()).unwrap_or_default());
    out.text("httpVersion", exchange.http_version);
    out.list("cookies", &[], |_, (): &()| {});
    out.list("headers", &exchange.response_headers, header);
    out.object("content", |out| {
        out.integer("size", length(ending.response_bytes));
        let body = exchange.response_body.as_ref();
        out.text("mimeType", body.and_then(|body| body.media_type.as_deref()).unwrap_or_default());
        if let Some(body) = body {
            out.text("text", &body.text);
            comment(out, body);
        }
    });
    let location = exchange.response_headers.iter().find(|(name, _)| name == "location");
    out.text("redirectURL", location.map_or("", |(_, value)| value));
    out.integer("headersSize", -1);
    out.integer("bodySize", length(ending.response_bytes));
}

fn header(out: &mut Object, (name, value): &(String, String)) {
    out.text("name", name);
    out.text("value", value);
}

fn comment(out: &mut Object, body: &CapturedBody) {
    let what = match (body.placeholder, body.truncated) {
        (true, _) => "masked; the text only stands for the body",
        (false, true) => "masked; only the beginning of the body",
        (false, false) => "masked",
    };
    out.text("comment", what);
}

fn length(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// A JSON object being written.
struct Object {
    out: Vec<u8>,
}

impl Object {
    fn new(mut out: Vec<u8>) -> Self {
        out.push(b'{');
        Self { out }
    }

    fn name(&mut self, name: &str) {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
        push_str(&mut self.out, name, usize::MAX);
        self.out.push(b':');
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        push_str(&mut self.out, text, usize::MAX);
    }

    fn integer(&mut self, name: &str, number: i64) {
        self.name(name);
        push_integer(&mut self.out, number);
    }

    fn milliseconds(&mut self, name: &str, duration: Duration) {
        self.name(name);
        push_f64(&mut self.out, duration.as_secs_f64() * 1000.0);
    }

    fn object(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.name(name);
        self.nested(write);
    }

    fn list<T>(&mut self, name: &str, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.name(name);
        self.out.push(b'[');
        for (n, item) in items.iter().enumerate() {
            if n > 0 {
                self.out.push(b',');
            }
            self.nested(|object| write(object, item));
        }
        self.out.push(b']');
    }

    fn nested(&mut self, write: impl FnOnce(&mut Self)) {
        let mut object = Self::new(std::mem::take(&mut self.out));
        write(&mut object);
        self.out = object.end();
    }

    fn end(mut self) -> Vec<u8> {
        self.out.push(b'}');
        self.out
    }
}
