//! The inside of a string: read, checked, and written again.

use memchr::memchr;

use crate::look::{self, BRACKET, CONTROL, PAIR, QUOTE, RAW, SCHEME};

/// What may stand between a name and its value, or be the name of a scheme.
const TEXT: u8 = PAIR | SCHEME;

/// How many bytes a string begins with that are valid there, mean themselves, and in which nothing may be masked.
#[inline]
pub(super) fn plain(text: &[u8]) -> usize {
    look::first::<{ TEXT | QUOTE | BRACKET | RAW }>(text).unwrap_or(text.len())
}

/// A string without its quotation marks.
#[derive(Clone, Copy)]
pub(super) enum Read<'r> {
    /// These bytes are valid and mean themselves, and there is no name and no URL in them.
    Plain(&'r [u8]),
    /// These bytes mean themselves.
    Same(&'r str),
    /// The string has escapes.
    Unescaped {
        /// As it came, without what was cut in half; `None` where that cannot be written again.
        raw: Option<&'r str>,
        text: &'r str,
    },
}

impl Read<'_> {
    /// What the string means.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Same(text) | Self::Unescaped { text, .. } => text.as_bytes(),
        }
    }
}

/// Reads a string that may be `cut`, in which case what is not whole at its end is left out; `None` when it
/// is not valid.
pub(super) fn read<'r>(raw: &'r [u8], escapes: bool, cut: bool, scratch: &'r mut String) -> Option<Read<'r>> {
    if escapes {
        return unescape(raw, cut, scratch);
    }
    let text = whole(raw, cut)?;
    match look::first::<{ CONTROL | TEXT }>(raw) {
        None => Some(Read::Plain(text.as_bytes())),
        Some(at) if look::any::<CONTROL>(raw.get(at..)?) => None,
        Some(_) => Some(Read::Same(text)),
    }
}

/// Whether a string, all of whose escapes are [letters](is_letter), is valid and has no name and no URL in it.
pub(super) fn is_kept(raw: &[u8]) -> bool {
    !look::any::<{ CONTROL | TEXT }>(raw) && str::from_utf8(raw).is_ok()
}

/// Whether this byte, behind a backslash, is an escape that stands for nothing that a name or a URL needs.
pub(super) fn is_letter(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')
}

/// The bytes as text, without a character that is cut in half.
fn whole(raw: &[u8], cut: bool) -> Option<&str> {
    match str::from_utf8(raw) {
        Ok(text) => Some(text),
        Err(error) if cut && error.error_len().is_none() => {
            str::from_utf8(raw.get(..error.valid_up_to())?).ok()
        }
        Err(_) => None,
    }
}

/// What an escape stands for.
enum Escape {
    Char(char, usize),
    /// Half of a surrogate pair, which stands for nothing.
    Half(usize),
    /// The text ends within the escape.
    Cut,
}

fn unescape<'r>(raw: &'r [u8], cut: bool, scratch: &'r mut String) -> Option<Read<'r>> {
    scratch.clear();
    let text = whole(raw, cut)?;
    let (mut rest, mut faithful) = (text, true);
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        let (plain, tail) = rest.split_at_checked(at)?;
        push_plain(plain, scratch)?;
        let used = match escape(tail.as_bytes())? {
            Escape::Char(char, used) => {
                scratch.push(char);
                used
            }
            // It may be the first half of a pair that is cut.
            Escape::Half(used) if cut && may_go_on(tail.get(used..)?) => {
                let raw = text.get(..text.len() - tail.len())?;
                return Some(Read::Unescaped { raw: faithful.then_some(raw), text: scratch });
            }
            Escape::Half(used) => {
                faithful = false;
                scratch.push(char::REPLACEMENT_CHARACTER);
                used
            }
            Escape::Cut if cut => {
                let raw = text.get(..text.len() - tail.len())?;
                return Some(Read::Unescaped { raw: faithful.then_some(raw), text: scratch });
            }
            Escape::Cut => return None,
        };
        rest = tail.get(used..)?;
    }
    push_plain(rest, scratch)?;
    Some(Read::Unescaped { raw: faithful.then_some(text), text: scratch })
}

/// Whether the second half of a pair may follow on what is here.
fn may_go_on(tail: &str) -> bool {
    tail.len() < 6 && (tail.is_empty() || tail == "\\" || tail.starts_with("\\u"))
}

fn push_plain(plain: &str, scratch: &mut String) -> Option<()> {
    if look::any::<CONTROL>(plain.as_bytes()) {
        return None;
    }
    scratch.push_str(plain);
    Some(())
}

/// Reads the escape that the text begins with; `None` when there is no such escape.
fn escape(text: &[u8]) -> Option<Escape> {
    let char = match text.get(1) {
        None => return Some(Escape::Cut),
        Some(b'u') => return unit(text),
        Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(_) => return None,
    };
    Some(Escape::Char(char, 2))
}

fn unit(text: &[u8]) -> Option<Escape> {
    let first = match hex(text) {
        Unit::Is(first) => first,
        Unit::Cut => return Some(Escape::Cut),
        Unit::None => return None,
    };
    if let Some(char) = char::from_u32(first) {
        return Some(Escape::Char(char, 6));
    }
    let rest = text.get(6..).unwrap_or_default();
    if first < 0xDC00 && rest.starts_with(b"\\u") {
        match hex(rest) {
            Unit::Is(second @ 0xDC00..0xE000) => {
                let char = char::from_u32(0x1_0000 + ((first - 0xD800) << 10 | (second - 0xDC00)))?;
                return Some(Escape::Char(char, 12));
            }
            Unit::None => return None,
            Unit::Is(_) | Unit::Cut => {}
        }
    }
    Some(Escape::Half(6))
}

/// A code unit.
enum Unit {
    Is(u32),
    /// The text ends first.
    Cut,
    None,
}

/// The code unit of `\uXXXX`.
fn hex(text: &[u8]) -> Unit {
    let digits = text.get(2..).unwrap_or_default();
    let digits = digits.get(..4).unwrap_or(digits);
    let unit = digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?));
    match unit {
        Some(unit) if digits.len() == 4 => Unit::Is(unit),
        Some(_) => Unit::Cut,
        None => Unit::None,
    }
}

/// Hands on text as it stands inside a JSON string.
pub(crate) fn escaped(text: &str, mut push: impl FnMut(&str)) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..b' ')) {
        let (plain, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        push(plain);
        let mut chars = tail.chars();
        match chars.next() {
            Some('"') => push("\\\""),
            Some('\\') => push("\\\\"),
            Some('\n') => push("\\n"),
            Some('\r') => push("\\r"),
            Some('\t') => push("\\t"),
            Some(control) => push(&format!("\\u{:04x}", u32::from(control))),
            None => {}
        }
        rest = chars.as_str();
    }
    push(rest);
}
