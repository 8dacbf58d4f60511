//! Credentials that follow the name of their scheme.

use std::ops::Range;

use super::value::{bare_end, is_end};

/// What follows `Bearer` and `Basic` in prose about them.
const PROSE: &[&str] = &[
    "auth",
    "authentication",
    "authorization",
    "challenge",
    "credential",
    "credentials",
    "header",
    "headers",
    "http",
    "is",
    "not",
    "or",
    "scheme",
    "token",
    "tokens",
    "was",
];

/// Parameters of a challenge (`Bearer realm="api"`).
const PARAMETERS: &[&str] = &["realm=", "charset=", "error=", "error_description=", "scope="];

/// How much of a word is looked at to tell whether it is a credential.
const MAX_WORD_BYTES: usize = 128;

/// The credential of the scheme whose name begins at `start`, if `Bearer` or `Basic` does. A word that is `cut`
/// is one.
pub(super) fn after_scheme(text: &[u8], start: usize, cut: bool) -> Option<Range<usize>> {
    let scheme = text.get(start..)?;
    let (length, basic) = if starts_with(scheme, "bearer") {
        (6, false)
    } else if starts_with(scheme, "basic") {
        (5, true)
    } else {
        return None;
    };
    if start.checked_sub(1).and_then(|before| text.get(before)).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let rest = scheme.get(length..)?;
    let blanks = match rest {
        [b'%', b'2', b'0', ..] => 3,
        [b'+', ..] => 1,
        _ => rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count(),
    };
    if blanks == 0 {
        return None;
    }
    // The beginning of the word tells, so that a long one is not read again and again.
    let word = rest.get(blanks..)?;
    let at_end = word.len() < MAX_WORD_BYTES && !word.iter().any(|byte| is_end(*byte));
    let word = word.get(..MAX_WORD_BYTES).unwrap_or(word);
    let word = word.get(..word.iter().position(|byte| is_end(*byte)).unwrap_or(word.len()))?;
    let word = word.split(|byte| b"\"'`\\".contains(byte)).find(|part| !part.is_empty())?;
    let secret = if basic { is_base64(word) } else { !is_prose(word) };
    let from = start + length + blanks;
    (secret || (cut && at_end)).then(|| from..bare_end(text, from))
}

fn is_prose(word: &[u8]) -> bool {
    let plain = word.strip_suffix(b".").or_else(|| word.strip_suffix(b":")).unwrap_or(word);
    !plain.iter().any(u8::is_ascii_alphanumeric)
        || PROSE.iter().any(|prose| plain.eq_ignore_ascii_case(prose.as_bytes()))
        || PARAMETERS.iter().any(|parameter| starts_with(word, parameter))
}

/// `basic` is a common word: what follows has to look like base64, not like the next word.
fn is_base64(word: &[u8]) -> bool {
    let alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
    let mixed = word.iter().skip(1).any(|byte| !byte.is_ascii_lowercase());
    word.iter().all(alphabet) && (mixed || word.len() > 16) && !is_prose(word)
}

fn starts_with(text: &[u8], prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
}
