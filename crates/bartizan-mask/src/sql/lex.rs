//! What the parts of a statement look like.

use memchr::{memchr, memmem};

/// Whether a string, or a comment to the end of the line, may begin here.
pub(super) fn opens(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'\'' | b'"' | b'`' | b'$' | b'#'))
        || memmem::find(text, b"--").is_some()
}

/// Whether a string, or a comment of any kind, may begin here.
pub(super) fn opens_any(text: &[u8]) -> bool {
    opens(text) || memmem::find(text, b"/*").is_some()
}

/// Where what is quoted ends, behind its closing mark; `None` if it does not, or not everybody agrees on it.
pub(super) fn quoted_end(text: &[u8], open: usize, mark: u8, escapes: bool) -> Option<usize> {
    let mut at = open;
    loop {
        at += memchr(mark, text.get(at..)?)?;
        let before = text.get(open..at)?;
        let odd = before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1;
        // Only MySQL's strings have escapes without saying so. A backtick never has.
        if odd && !escapes && mark != b'`' {
            return None;
        }
        if odd && mark != b'`' {
            at += 1;
        } else if text.get(at + 1) == Some(&mark) {
            at += 2;
        } else {
            return Some(at + 1);
        }
    }
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$' | 0x80..)
}

/// Whether this can be the name of a table or a column.
pub(super) fn is_name(name: &[u8]) -> bool {
    (1..64).contains(&name.len())
        && name.iter().all(|byte| (is_word(*byte) && *byte != b'$') || byte.is_ascii_digit())
        && !name.first().is_some_and(u8::is_ascii_digit)
}

pub(super) fn run(text: &[u8], at: usize, is_part: impl Fn(u8) -> bool) -> usize {
    text.get(at..).unwrap_or_default().iter().take_while(|byte| is_part(**byte)).count()
}

/// A line without the carriage return at its end.
pub(super) fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
