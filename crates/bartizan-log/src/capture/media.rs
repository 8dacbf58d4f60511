//! Which media types are captured.

use http::HeaderValue;

/// What the masker can read, as far as it is no stream without an end.
const DEFAULT: [&str; 9] = [
    "application/json",
    "text/json",
    "*+json",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/plain",
];

/// The longest media type that is looked at.
const MAX_BYTES: usize = 128;

#[derive(Clone, Debug)]
pub(super) struct MediaTypes(Vec<String>);

impl MediaTypes {
    pub(super) fn of(types: impl IntoIterator<Item = String>) -> Self {
        Self(types.into_iter().map(|pattern| pattern.trim().to_ascii_lowercase()).collect())
    }

    /// Whether a body of this `content-type` is captured.
    pub(super) fn has(&self, content_type: Option<&HeaderValue>) -> bool {
        let Some(essence) = content_type.and_then(essence) else { return false };
        self.0.iter().any(|pattern| match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
            (Some(end), _) => ends_with(essence, end),
            (_, Some(begin)) => begins_with(essence, begin),
            _ => essence.eq_ignore_ascii_case(pattern),
        })
    }
}

impl Default for MediaTypes {
    fn default() -> Self {
        Self::of(DEFAULT.map(String::from))
    }
}

/// The media type without its parameters, if it can be one.
pub(super) fn essence(content_type: &HeaderValue) -> Option<&str> {
    let essence = content_type.to_str().ok()?.split(';').next()?.trim();
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"/+-._".contains(&byte);
    let is_one = essence.len() <= MAX_BYTES && essence.contains('/') && essence.bytes().all(token);
    is_one.then_some(essence)
}

fn ends_with(text: &str, end: &str) -> bool {
    text.len() >= end.len()
        && text.get(text.len() - end.len()..).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

fn begins_with(text: &str, begin: &str) -> bool {
    text.get(..begin.len()).is_some_and(|head| head.eq_ignore_ascii_case(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(types: &MediaTypes, content_type: &'static str) -> bool {
        types.has(Some(&HeaderValue::from_static(content_type)))
    }

    #[test]
    fn texts_that_can_be_masked_are_captured_and_streams_and_files_are_not() {
        let types = MediaTypes::default();
        for content_type in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/problem+json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/plain",
        ] {
            assert!(has(&types, content_type), "{content_type}");
        }
        for content_type in [
            "text/event-stream",
            "application/grpc",
            "application/grpc-web+proto",
            "image/png",
            "application/octet-stream",
            "json",
            "",
            "text/plain text/plain",
        ] {
            assert!(!has(&types, content_type), "{content_type}");
        }
        assert!(!types.has(None));
        assert!(!types.has(HeaderValue::from_bytes(b"text/plain\xff").ok().as_ref()));
    }

    #[test]
    fn own_types_replace_the_default_ones() {
        let types = MediaTypes::of(["text/*".to_owned(), " application/CBOR".to_owned()]);
        assert!(
            has(&types, "text/html") && has(&types, "text/event-stream") && has(&types, "application/cbor")
        );
        assert!(!has(&types, "application/json"));
    }
}
