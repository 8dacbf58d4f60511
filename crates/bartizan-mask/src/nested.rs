//! What a single value carries inside itself: pairs after a `;`, an encoded URL, JSON.

use std::ops::Range;

use memchr::memchr;

use crate::edit::Edit;
use crate::look::{self, PAIR};
use crate::names::{Hide, Names};
use crate::percent::decode;

/// Hides, in one value that is shown, the user info of a URL and everything from the first sensitive
/// `name=`, `"name":` or `name:"` on. The value is read percent-decoded.
///
/// It is masked to its end because only the server knows how the inner syntax goes on.
pub(crate) fn find(names: &Names, edit: &mut Edit<'_>, span: Range<usize>) {
    if !is_possible(edit.slice(span.clone())) {
        return;
    }
    let value = edit.slice(0..span.end);
    let mut at = span.start;
    let mut name = at..at;
    // Something but a name byte has come since: a closing quotation mark, white space.
    let mut closed = false;
    // It has `\u` in it, as names in JSON may.
    let mut escaped = false;
    let mut url = Authority::default();
    while let Some((byte, next)) = decode(value, at) {
        url.step(byte, at, next, edit);
        match byte {
            b'=' | b':' if byte == b'=' || closed || after(value, next, is_blank).is_some_and(is_quote) => {
                let run = edit.slice(name);
                // Where the escapes are encoded too, nobody can tell what the name is.
                let unknown = || (escaped && memchr(b'%', run).is_some()).then(Hide::default);
                if let Some(hide) = names.hides_end(run).or_else(unknown) {
                    url.finish(edit);
                    return edit.hide_as(next..span.end, hide);
                }
                (name, closed, escaped) = (next..next, false, false);
            }
            b'\\' if after(value, next, |byte| byte == b'\\') == Some(b'u') => {
                let start = if closed || name.is_empty() { at } else { name.start };
                (name, closed, escaped) = (start..next, false, true);
            }
            b'"' | b'\'' | b'\\' | b' ' | b'+' if !name.is_empty() => closed = true,
            _ if !is_name_byte(byte) => (name, closed, escaped) = (next..next, false, false),
            _ if closed => (name, closed, escaped) = (at..next, false, false),
            _ => name.end = next,
        }
        at = next;
    }
    url.finish(edit);
    if let (Some(start), true) = (url.start, edit.is_cut_at(span.end)) {
        edit.hide_user_info(start..span.end);
    }
}

/// Whether there is anything to find in such a value, or in several of them.
pub(crate) fn is_possible(value: &[u8]) -> bool {
    look::any::<PAIR>(value)
}

/// The first byte behind those that are skipped.
fn after(value: &[u8], mut at: usize, is_skipped: impl Fn(u8) -> bool) -> Option<u8> {
    loop {
        match decode(value, at)? {
            (byte, next) if is_skipped(byte) => at = next,
            (byte, _) => return Some(byte),
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'+' | b'\\')
}

/// In `login(pin:"1")` the name before the colon has no quotation marks.
fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'')
}

fn is_name_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'[' | b']' | 0x80..)
}

/// Follows `://user:password@`.
#[derive(Default)]
struct Authority {
    /// How much of `://` was just read.
    slashes: u8,
    start: Option<usize>,
    /// The last `@` so far.
    end: Option<usize>,
}

impl Authority {
    fn step(&mut self, byte: u8, at: usize, next: usize, edit: &mut Edit<'_>) {
        match byte {
            b'/' if self.slashes == 2 => (self.slashes, self.start) = (0, Some(next)),
            b'/' if self.slashes == 1 => self.slashes = 2,
            b'/' | b'?' | b'#' => {
                self.finish(edit);
                self.start = None;
            }
            b':' => self.slashes = 1,
            _ => {
                self.slashes = 0;
                if byte == b'@' && self.start.is_some() {
                    self.end = Some(at);
                }
            }
        }
    }

    fn finish(&mut self, edit: &mut Edit<'_>) {
        if let (Some(start), Some(end)) = (self.start, self.end.take()) {
            self.start = None;
            edit.hide_user_info(start..end);
        }
    }
}
