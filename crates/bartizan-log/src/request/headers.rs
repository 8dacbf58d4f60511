//! All headers of a message, masked, as a JSON object.

use std::borrow::Cow;
use std::mem;

use bartizan_mask::Masker;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Options;
use super::buffer::Buffer;
use crate::line::{CUT, is_plain, push_escaped};

const MAX_HEADERS: usize = 64;
const MAX_VALUE: usize = 1024;
const MAX_BYTES: usize = 8 * 1024;
/// What stands for the headers that are missing.
const MISSING: &str = "\"...\":true";

/// Which headers are shown.
#[derive(Clone, Debug, Default)]
pub(super) enum Shown {
    #[default]
    All,
    Only(Vec<HeaderName>),
}

/// The headers of a message, kept for its line.
#[derive(Debug)]
pub(super) enum Headers {
    Masked(Buffer),
    /// Where it depends on the route what masks them: it may not be known yet.
    Raw(Box<HeaderMap>),
}

impl Headers {
    pub(super) fn of(headers: &HeaderMap, options: &Options) -> Self {
        if options.masker.has_policies() {
            Self::Raw(Box::new(headers.clone()))
        } else {
            Self::Masked(masked_json(headers, &options.shown, &options.masker))
        }
    }

    pub(super) fn masked(&self, options: &Options, masker: &Masker) -> Cow<'_, str> {
        match self {
            Self::Masked(text) => Cow::Borrowed(text),
            Self::Raw(headers) => Cow::Owned(masked_json(headers, &options.shown, masker).to_owned()),
        }
    }
}

/// All headers that are to be shown, or as many as fit. Values of the same name are joined, as in RFC 9110, section 5.2.
pub(super) fn masked_json(headers: &HeaderMap, shown: &Shown, masker: &Masker) -> Buffer {
    let mut kept = Buffer::take();
    let mut json = Json { out: kept.text(), names: 0, whole: true };
    json.out.push('{');
    match shown {
        Shown::All => {
            let mut headers = headers.iter().peekable();
            // The values of a name come one after the other.
            while let Some((name, first)) = headers.next() {
                json.add(name, first, masker, || {
                    headers.next_if(|(next, _)| *next == name).map(|(_, value)| value)
                });
            }
        }
        Shown::Only(names) => {
            for name in names {
                let mut values = headers.get_all(name).iter();
                if let Some(first) = values.next() {
                    json.add(name, first, masker, || values.next());
                }
            }
        }
    }
    json.end();
    kept
}

/// The object, which always ends in a comma or its brace.
struct Json<'a> {
    out: &'a mut String,
    names: usize,
    whole: bool,
}

impl Json<'_> {
    fn add<'h>(
        &mut self,
        name: &HeaderName,
        first: &HeaderValue,
        masker: &Masker,
        mut more: impl FnMut() -> Option<&'h HeaderValue>,
    ) {
        let (start, name) = (self.out.len(), name.as_str());
        let fits = self.names < MAX_HEADERS;
        self.names += 1;
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":\"");
        let from = self.out.len();
        push_value(self.out, name, first, masker);
        while let Some(value) = more() {
            if fits && self.out.len() - from <= MAX_VALUE {
                self.out.push_str(", ");
                push_value(self.out, name, value, masker);
            }
        }
        if !is_plain(self.out.as_bytes().get(from..).unwrap_or_default()) {
            escape_from(self.out, from);
        }
        self.out.push_str("\",");
        if !fits || self.out.len() + MISSING.len() >= MAX_BYTES {
            self.out.truncate(start);
            self.whole = false;
        }
    }

    fn end(self) {
        if !self.whole {
            self.out.push_str(MISSING);
        } else if self.out.len() > 1 {
            self.out.pop();
        }
        self.out.push('}');
    }
}

/// Escapes what was written from here on, as JSON needs it.
#[cold]
fn escape_from(out: &mut String, from: usize) {
    let mut escaped = Buffer::take();
    let mut bytes = mem::take(escaped.text()).into_bytes();
    push_escaped(&mut bytes, out.get(from..).unwrap_or_default(), usize::MAX);
    *escaped.text() = String::from_utf8(bytes).unwrap_or_default();
    out.truncate(from);
    out.push_str(&escaped);
}

/// Appends a header's value, cut and masked. Bytes outside ASCII become `\xNN`.
pub(crate) fn push_value(out: &mut String, name: &str, value: &HeaderValue, masker: &Masker) {
    if value.is_sensitive() {
        out.push_str(masker.censor());
        return;
    }
    let start = out.len();
    // Writing to a string does not fail. It is cut when it is masked: a beginning alone may show what the whole would not.
    let _ = masker.header(name, value.as_bytes(), out);
    cut_off(out, start, MAX_VALUE);
}

/// Cuts what was written from `start` on, and marks it, where it is longer than it may be.
pub(super) fn cut_off(out: &mut String, start: usize, max: usize) {
    if out.len() - start > max {
        out.truncate(out.floor_char_boundary(start + max));
        out.push_str(CUT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header;
    use serde_json::Value;

    fn json(headers: &[(&'static str, &[u8])]) -> Value {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        let text = masked_json(&map, &Shown::All, &Masker::default());
        assert!(text.len() <= MAX_BYTES, "{}", text.len());
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn values_are_masked_joined_and_escaped() {
        let json = json(&[
            ("host", b"example.org"),
            ("authorization", b"Bearer hunter2"),
            ("cookie", b"session=hunter2"),
            ("accept", b"a"),
            ("accept", b"\"b\""),
            ("x-name", b"J\xf6rg"),
        ]);
        assert_eq!(json["host"], "example.org");
        assert_eq!(json["authorization"], "[REDACTED]");
        assert_eq!(json["cookie"], "[REDACTED]");
        assert_eq!(json["accept"], "a, \"b\"");
        assert_eq!(json["x-name"], "J\\xF6rg");
        assert_eq!(self::json(&[]), serde_json::json!({}));
    }

    #[test]
    fn a_value_marked_sensitive_is_censored_whatever_its_name() {
        let mut value = HeaderValue::from_static("hunter2");
        value.set_sensitive(true);
        let map = HeaderMap::from_iter([(http::HeaderName::from_static("x-plain"), value)]);
        assert_eq!(&*masked_json(&map, &Shown::All, &Masker::default()), r#"{"x-plain":"[REDACTED]"}"#);
    }

    #[test]
    fn of_headers_that_are_named_only_those_are_shown() {
        let map: HeaderMap = [(header::HOST, "a"), (header::ACCEPT, "b"), (header::COOKIE, "c=d")]
            .map(|(name, value)| (name, HeaderValue::from_static(value)))
            .into_iter()
            .collect();
        let shown = Shown::Only(vec![header::COOKIE, header::VIA, header::HOST]);
        let json = masked_json(&map, &shown, &Masker::default());
        assert_eq!(&*json, r#"{"cookie":"[REDACTED]","host":"a"}"#);
    }

    #[test]
    fn what_is_too_long_or_too_much_is_cut_and_marked() {
        let long = vec![b'x'; 64 * 1024];
        let value = json(&[("x-long", &long)])["x-long"].as_str().unwrap().to_owned();
        assert_eq!(value.len(), MAX_VALUE + CUT.len());
        assert!(value.ends_with(CUT));
        let many: Vec<(&'static str, &[u8])> =
            (0..200).map(|n| (&*format!("x-{n}").leak(), &b"value"[..])).collect();
        let cut = json(&many);
        assert_eq!(cut.as_object().unwrap().len(), MAX_HEADERS + 1);
        assert_eq!(cut["..."], true);
        let large: Vec<(&'static str, &[u8])> =
            (0..60).map(|n| (&*format!("x-{n}").leak(), &long[..1000])).collect();
        assert_eq!(json(&large)["..."], true);
        let same: Vec<(&'static str, &[u8])> = (0..1000).map(|_| ("x-same", &b"value"[..])).collect();
        assert!(json(&same)["x-same"].as_str().unwrap().len() < 2 * MAX_VALUE);
    }
}
