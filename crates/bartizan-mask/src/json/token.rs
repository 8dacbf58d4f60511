//! Strings, numbers and literals, which may go on in the next chunk.

use std::mem;

use memchr::memchr2;

use super::{JsonMasker, State, string, word};
use crate::kinds::Kinds;
use crate::names::Hide;

/// The longest string that is looked through, in bytes as they came.
pub(super) const MAX_STRING_BYTES: usize = 64 * 1024;

/// How long a string is that is read in one look.
const SHORT_BYTES: usize = 16;

/// The longest number.
pub(super) const MAX_WORD_BYTES: usize = 512;

/// A string or a word that began in an earlier chunk.
#[derive(Default)]
pub(super) struct Token {
    pub(super) held: Vec<u8>,
    /// Its length so far, also where it is too long to be held.
    bytes: usize,
    /// A string: whether it has escapes, and whether it ends in half of one.
    escapes: bool,
    escaped: bool,
}

impl Token {
    fn hold(&mut self, part: &[u8], limit: usize) {
        self.bytes += part.len();
        if self.bytes <= limit {
            self.held.extend_from_slice(part);
        }
    }

    fn clear(&mut self) {
        self.held.clear();
        (self.bytes, self.escapes, self.escaped) = (0, false, false);
    }
}

impl JsonMasker {
    /// Takes what is here of a string, behind its opening quotation mark.
    pub(super) fn string(&mut self, rest: &[u8], name: bool, out: &mut Vec<u8>) -> usize {
        let mut at = usize::from(self.token.escaped);
        if at == 0 && self.token.bytes == 0 {
            // Most strings are short, and read in one look.
            let head = rest.get(..SHORT_BYTES).unwrap_or(rest);
            let (part, tail, kinds) = Kinds::split(head, |byte| matches!(byte, b'"' | b'\\'));
            if tail.first() == Some(&b'"') {
                if !self.string_ends(part, Some(kinds), name, out) {
                    self.state = State::Invalid;
                }
                let end = part.len() + 1;
                return end + self.behind_token(rest.get(end));
            }
            at = part.len();
        }
        self.token.escaped = false;
        let end = loop {
            let Some(mark) = rest.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)).map(|n| at + n)
            else {
                break None;
            };
            if rest.get(mark) == Some(&b'"') {
                break Some(mark);
            }
            self.token.escapes = true;
            at = mark + 2;
            self.token.escaped = at > rest.len();
        };
        let Some(end) = end else {
            self.token.hold(rest, MAX_STRING_BYTES);
            return rest.len();
        };
        let part = rest.get(..end).unwrap_or_default();
        let valid = if self.token.bytes == 0 && part.len() <= MAX_STRING_BYTES {
            self.string_ends(part, None, name, out)
        } else {
            self.token.hold(part, MAX_STRING_BYTES);
            let held = mem::take(&mut self.token.held);
            let valid = self.string_ends(&held, None, name, out);
            self.token.held = held;
            valid
        };
        self.token.clear();
        if !valid {
            self.state = State::Invalid;
        }
        end + 1 + self.behind_token(rest.get(end + 1))
    }

    /// Takes the mark that comes most often behind a name or a value, if it is there. Says how much that was.
    #[inline]
    fn behind_token(&mut self, next: Option<&u8>) -> usize {
        self.state = match (self.state, next) {
            (State::Colon, Some(b':')) => State::Value,
            (State::After, Some(b',')) => self.behind_comma(),
            _ => return 0,
        };
        1
    }

    fn string_ends(&mut self, raw: &[u8], kinds: Option<Kinds>, name: bool, out: &mut Vec<u8>) -> bool {
        let valid = if name { self.name(raw, kinds) } else { self.value_string(raw, kinds, false, out) };
        self.state = if name { State::Colon } else { self.behind() };
        valid
    }

    /// Takes a whole name; `false` when it is no valid string.
    fn name(&mut self, raw: &[u8], kinds: Option<Kinds>) -> bool {
        if self.token.bytes > MAX_STRING_BYTES {
            self.out.name_bytes(self.token.bytes);
            self.hide = Some(Hide::default());
            return true;
        }
        let read = string::read(raw, kinds, self.token.escapes, false, &mut self.scratch);
        let Some(read) = read else { return false };
        if self.out.is_silent() {
            return true;
        }
        self.hide = self.place.name(&self.masker, read.bytes());
        self.out.name(&self.masker, &read);
        true
    }

    /// Takes a string value, which may be cut; `false` when it is no valid string.
    pub(super) fn value_string(
        &mut self,
        raw: &[u8],
        kinds: Option<Kinds>,
        cut: bool,
        out: &mut Vec<u8>,
    ) -> bool {
        let hide = self.hide.take();
        if self.token.bytes > MAX_STRING_BYTES {
            match hide {
                Some(hide) => self.out.hidden(&self.masker, hide, None, out),
                None => self.out.string_bytes(self.token.bytes, out),
            }
            return true;
        }
        let read = string::read(raw, kinds, self.token.escapes, cut, &mut self.scratch);
        let Some(read) = read else { return false };
        match hide {
            Some(hide) if cut => self.out.hidden(&self.masker, hide, None, out),
            Some(hide) if !raw.is_empty() || self.masker.removes(hide) => {
                // It is whole, and so it is valid.
                let text = str::from_utf8(read.bytes()).ok();
                self.out.hidden(&self.masker, hide, text, out);
            }
            _ => self.out.string(&self.masker, &read, cut, out),
        }
        true
    }

    /// Takes what is here of a number or a literal.
    pub(super) fn word(&mut self, rest: &[u8], out: &mut Vec<u8>) -> usize {
        let end = rest.iter().position(|byte| !word::goes_on(*byte));
        let part = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if end.is_some() && self.token.bytes == 0 {
            self.word_ends(part, out);
        } else {
            self.token.hold(part, MAX_WORD_BYTES);
            if end.is_some() {
                self.held_word_ends(out);
            }
        }
        part.len() + self.behind_token(rest.get(part.len()))
    }

    pub(super) fn held_word_ends(&mut self, out: &mut Vec<u8>) {
        let held = mem::take(&mut self.token.held);
        self.word_ends(&held, out);
        self.token.held = held;
        self.token.clear();
    }

    fn word_ends(&mut self, word: &[u8], out: &mut Vec<u8>) {
        if word.len().max(self.token.bytes) > MAX_WORD_BYTES || !word::is_valid(word) {
            self.state = State::Invalid;
            return;
        }
        match self.hide.take() {
            Some(hide) if word != b"null" || self.masker.removes(hide) => {
                self.out.hidden(&self.masker, hide, str::from_utf8(word).ok(), out);
            }
            _ => self.out.word(&self.masker, word, out),
        }
        self.state = self.behind();
    }
}
