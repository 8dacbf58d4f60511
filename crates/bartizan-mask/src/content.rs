//! What the headers say of a body: its type, its character set, its compression.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The longest type that is named in a placeholder.
const MAX_TYPE_BYTES: usize = 64;

/// How much a compressed body may unpack to: so many times its length, at least and at most this.
#[cfg(feature = "gzip")]
const UNPACKED: (usize, std::ops::RangeInclusive<usize>) = (4, 64 * 1024..=1024 * 1024);

/// What kinds of bodies can be masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Json,
    JsonLines,
    Form,
    Multipart,
    Text,
}

/// A `content-type`.
pub(crate) struct Content<'h> {
    /// Without parameters.
    name: &'h str,
    parameters: &'h str,
    pub(crate) kind: Option<Type>,
}

impl<'h> Content<'h> {
    pub(crate) fn of(header: Option<&'h str>) -> Self {
        let (name, parameters) =
            header.unwrap_or_default().split_once(';').unwrap_or((header.unwrap_or_default(), ""));
        let name = name.trim();
        let lower = name.to_ascii_lowercase();
        let kind = match lower.as_str() {
            "application/json" | "text/json" => Some(Type::Json),
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/jsonlines"
            | "application/json-lines"
            | "application/json-seq"
            | "application/stream+json"
            | "application/x-json-stream" => Some(Type::JsonLines),
            "application/x-www-form-urlencoded" => Some(Type::Form),
            "text/plain" | "text/event-stream" | "text/markdown" => Some(Type::Text),
            name if name.ends_with("+json") => Some(Type::Json),
            name if name.starts_with("multipart/") => Some(Type::Multipart),
            _ => None,
        };
        Self { name, parameters, kind }
    }

    /// The type without parameters, where it is one.
    pub(crate) fn name(&self) -> &'h str {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"/+-._".contains(&byte);
        let known = (1..=MAX_TYPE_BYTES).contains(&self.name.len()) && self.name.bytes().all(token);
        if known { self.name } else { "unknown type" }
    }

    /// The value of a parameter, without its quotation marks.
    fn parameter(&self, name: &str) -> Option<Cow<'h, str>> {
        parameter(self.parameters, name)
    }

    pub(crate) fn boundary(&self) -> Option<Cow<'h, str>> {
        self.parameter("boundary").filter(|boundary| (1..=70).contains(&boundary.len()))
    }

    /// The bytes as text; `None` in a character set that is not known, or where they are none.
    pub(crate) fn text<'b>(&self, bytes: &'b [u8], cut: bool) -> Option<Cow<'b, str>> {
        let charset = self.parameter("charset").unwrap_or_default().to_ascii_lowercase();
        let text = match charset.as_str() {
            "" | "utf-8" | "utf8" | "us-ascii" => match str::from_utf8(bytes) {
                Err(error) if cut && error.error_len().is_none() => {
                    str::from_utf8(bytes.get(..error.valid_up_to())?).ok()?.into()
                }
                text => text.ok()?.into(),
            },
            "iso-8859-1" | "latin1" | "windows-1252" => bytes.iter().map(|byte| char::from(*byte)).collect(),
            _ => return None,
        };
        let text: Cow<'b, str> = text;
        (!text.contains('\0')).then_some(text)
    }

    /// Appends `[image/png, 1234 bytes]`.
    pub(crate) fn push_placeholder(&self, bytes: usize, cut: bool, out: &mut String) {
        // Writing to a string does not fail.
        let _ = write!(out, "[{}, {bytes} bytes{}]", self.name(), if cut { " and more" } else { "" });
    }
}

/// The value of a parameter in a list such as `; charset=utf-8; boundary="a b"`.
pub(crate) fn parameter<'h>(list: &'h str, name: &str) -> Option<Cow<'h, str>> {
    let mut rest = list;
    loop {
        rest = rest.trim_start_matches([';', ' ', '\t']);
        let (found, tail) = rest.split_once('=')?;
        let (value, tail) = if let Some(quoted) = tail.strip_prefix('"') {
            unquote(quoted)?
        } else {
            let (value, tail) = tail.split_at_checked(tail.find(';').unwrap_or(tail.len()))?;
            (Cow::Borrowed(value.trim()), tail)
        };
        if found.trim().eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = tail;
    }
}

/// The text up to its closing quotation mark, and what follows that.
fn unquote(quoted: &str) -> Option<(Cow<'_, str>, &str)> {
    let (plain, tail) = quoted.split_at_checked(quoted.find(['"', '\\'])?)?;
    if let Some(tail) = tail.strip_prefix('"') {
        return Some((plain.into(), tail));
    }
    let (mut value, mut escaped) = (plain.to_owned(), false);
    for (at, char) in tail.char_indices() {
        match char {
            '"' if !escaped => return Some((value.into(), tail.get(at + 1..)?)),
            '\\' if !escaped => escaped = true,
            char => {
                value.push(char);
                escaped = false;
            }
        }
    }
    None
}

/// Undoes the compression, where it is one of those that can be. Says whether what comes out is cut.
pub(crate) fn unpack<'b>(
    encoding: Option<&str>,
    bytes: &'b [u8],
    cut: bool,
) -> Option<(Cow<'b, [u8]>, bool)> {
    let encoding = encoding.map(|encoding| encoding.trim().to_ascii_lowercase());
    match encoding.as_deref() {
        None | Some("" | "identity") => Some((bytes.into(), cut)),
        #[cfg(feature = "gzip")]
        Some("gzip" | "x-gzip") => read(flate2::read::MultiGzDecoder::new(bytes), bytes.len(), cut),
        #[cfg(feature = "gzip")]
        Some("deflate") => {
            // Some senders leave out the frame that RFC 9110 asks for.
            let framed = matches!(bytes, [first, second, ..]
                if first & 15 == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0);
            if framed {
                read(flate2::read::ZlibDecoder::new(bytes), bytes.len(), cut)
            } else {
                read(flate2::read::DeflateDecoder::new(bytes), bytes.len(), cut)
            }
        }
        Some(_) => None,
    }
}

#[cfg(feature = "gzip")]
fn read<'b>(decoder: impl std::io::Read, packed: usize, cut: bool) -> Option<(Cow<'b, [u8]>, bool)> {
    use std::io::{ErrorKind, Read};

    let (times, bounds) = UNPACKED;
    let limit = packed.saturating_mul(times).clamp(*bounds.start(), *bounds.end());
    let mut unpacked = Vec::new();
    let read = decoder.take(limit as u64 + 1).read_to_end(&mut unpacked);
    let full = unpacked.len() > limit;
    unpacked.truncate(limit);
    match read {
        Ok(_) => Some((unpacked.into(), full || cut)),
        Err(error) if cut && error.kind() == ErrorKind::UnexpectedEof => Some((unpacked.into(), true)),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, Type, parameter};

    #[test]
    fn types_are_told_by_name_alone() {
        for (header, kind) in [
            ("application/json", Some(Type::Json)),
            ("Application/Problem+JSON; charset=utf-8", Some(Type::Json)),
            ("application/x-ndjson", Some(Type::JsonLines)),
            (" application/x-www-form-urlencoded ;x", Some(Type::Form)),
            ("multipart/form-data; boundary=x", Some(Type::Multipart)),
            ("text/plain;charset=utf-8", Some(Type::Text)),
            ("text/html", None),
            ("text/xml", None),
            ("text/csv", None),
            ("application/octet-stream", None),
            ("", None),
        ] {
            assert_eq!(Content::of(Some(header)).kind, kind, "{header}");
        }
    }

    #[test]
    fn parameters_are_read_quoted_or_not() {
        let list = "form-data; name=\"a \\\"b\\\"; c\" ; filename=x.png;Boundary=\"=_\"";
        let list = list.split_once(';').unwrap().1;
        assert_eq!(parameter(list, "name").unwrap(), "a \"b\"; c");
        assert_eq!(parameter(list, "filename").unwrap(), "x.png");
        assert_eq!(parameter(list, "boundary").unwrap(), "=_");
        assert_eq!(parameter(list, "charset"), None);
        assert_eq!(parameter("name=\"open", "name"), None);
    }

    #[test]
    fn a_type_that_is_none_is_not_named() {
        for (header, name) in [
            ("a/b\n", "a/b"),
            ("a\"b", "unknown type"),
            ("", "unknown type"),
            (&*"x".repeat(65), "unknown type"),
        ] {
            let mut out = String::new();
            Content::of(Some(header)).push_placeholder(7, false, &mut out);
            assert_eq!(out, format!("[{name}, 7 bytes]"));
        }
    }
}
