//! All headers of a message, masked, as a JSON object.

use bartizan_mask::Masker;
use http::{HeaderMap, HeaderValue};

use crate::line::{CUT, push_str};

const MAX_HEADERS: usize = 64;
const MAX_VALUE: usize = 1024;
const MAX_BYTES: usize = 8 * 1024;
/// What stands for the headers that are missing.
const MISSING: &[u8] = b"\"...\":true";

/// Values of the same name are joined, as in RFC 9110, section 5.2.
pub(super) fn masked_json(headers: &HeaderMap, masker: &Masker) -> String {
    let mut json = vec![b'{'];
    let mut value = String::new();
    let mut missing = headers.keys_len() > MAX_HEADERS;
    for name in headers.keys().take(MAX_HEADERS) {
        value.clear();
        for (n, part) in headers.get_all(name).iter().enumerate() {
            if value.len() > MAX_VALUE {
                break;
            }
            if n > 0 {
                value.push_str(", ");
            }
            push_value(&mut value, name.as_str(), part, masker);
        }
        let start = json.len();
        push_str(&mut json, name.as_str(), MAX_BYTES);
        json.push(b':');
        push_str(&mut json, &value, MAX_BYTES);
        json.push(b',');
        if json.len() + MISSING.len() >= MAX_BYTES {
            json.truncate(start);
            missing = true;
        }
    }
    if missing {
        json.extend_from_slice(MISSING);
    } else if json.len() > 1 {
        json.pop();
    }
    json.push(b'}');
    // It is valid: strings and ASCII were put together.
    String::from_utf8(json).unwrap_or_default()
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
    use serde_json::Value;

    fn json(headers: &[(&'static str, &[u8])]) -> Value {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        let text = masked_json(&map, &Masker::default());
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
        assert_eq!(masked_json(&map, &Masker::default()), r#"{"x-plain":"[REDACTED]"}"#);
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
