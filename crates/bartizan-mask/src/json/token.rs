//! Strings, numbers and literals, which may go on in the next chunk.

use std::mem;

use memchr::memchr2;

use super::run::At;
use super::string::Read;
use super::{JsonMasker, State, string, word};
use crate::names::Hide;

/// The longest string that is looked through, in bytes as they came.
pub(super) const MAX_STRING_BYTES: usize = 64 * 1024;

/// The longest number.
pub(super) const MAX_WORD_BYTES: usize = 512;

/// A string or a word that began in an earlier chunk.
#[derive(Default)]
pub(super) struct Token {
    pub(super) held: Vec<u8>,
    /// Its length so far, also where it is too long to be held.
    bytes: usize,
    /// A string: whether it has escapes, whether some of them are of other characters than one letter stands for,
    /// and whether it ends in half of one.
    escapes: bool,
    units: bool,
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
        (self.bytes, self.escapes, self.units, self.escaped) = (0, false, false, false);
    }
}

impl JsonMasker {
    /// Takes what is here of a string, behind its opening quotation mark. Says where that ends.
    #[inline]
    pub(super) fn string(&mut self, chunk: &[u8], at: usize, name: bool, out: &mut Vec<u8>) -> usize {
        if self.token.bytes > 0 {
            return self.rest_of_string(chunk, at, at, name, out);
        }
        // Most strings are plain.
        let rest = chunk.get(at..).unwrap_or_default();
        let length = string::plain(rest);
        let end = at + length;
        let is_whole = length <= MAX_STRING_BYTES && chunk.get(end) == Some(&b'"');
        if !is_whole || !self.masker.values().is_empty() {
            return self.rest_of_string(chunk, at, end, name, out);
        }
        let raw = rest.get(..length).unwrap_or_default();
        let here = At { chunk, start: at.checked_sub(1), end: end + 1 };
        if name {
            if !self.out.is_silent() {
                self.hide = self.place.name(&self.masker, raw, true);
                self.out.kept_name(raw, here);
            }
            self.state = State::Colon;
        } else {
            match self.hide.take() {
                None => self.out.kept_string(raw, here, out),
                hide => self.out.value_string(&self.masker, Read::Plain(raw), hide, false, here, out),
            }
            self.state = self.behind();
        }
        self.behind_token(chunk, end + 1)
    }

    /// Takes what is here of a string that is not plain, or began in an earlier chunk. There is no quotation mark
    /// between the offsets. Says where that ends.
    fn rest_of_string(
        &mut self,
        chunk: &[u8],
        start: usize,
        plain: usize,
        name: bool,
        out: &mut Vec<u8>,
    ) -> usize {
        let rest = chunk.get(start..).unwrap_or_default();
        let mut at = plain - start + usize::from(self.token.escaped);
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
            self.token.units |= !rest.get(mark + 1).is_some_and(|byte| string::is_letter(*byte));
            at = mark + 2;
            self.token.escaped = at > rest.len();
        };
        let Some(end) = end else {
            self.token.hold(rest, MAX_STRING_BYTES);
            return chunk.len();
        };
        let part = rest.get(..end).unwrap_or_default();
        let mut here = At { chunk, start: None, end: start + end + 1 };
        let valid = if self.token.bytes == 0 && part.len() <= MAX_STRING_BYTES {
            here.start = start.checked_sub(1);
            self.string_ends(part, name, here, out)
        } else {
            self.token.hold(part, MAX_STRING_BYTES);
            let held = mem::take(&mut self.token.held);
            let valid = self.string_ends(&held, name, here, out);
            self.token.held = held;
            valid
        };
        self.token.clear();
        if !valid {
            self.state = State::Invalid;
        }
        self.behind_token(chunk, here.end)
    }

    /// Takes the mark that comes most often behind a name or a value, if it is there. Says where what was taken ends.
    #[inline]
    fn behind_token(&mut self, chunk: &[u8], at: usize) -> usize {
        self.state = match (self.state, chunk.get(at)) {
            (State::Colon, Some(b':')) => State::Value,
            (State::After, Some(b',')) => self.behind_comma(),
            _ => return at,
        };
        at + 1
    }

    fn string_ends(&mut self, raw: &[u8], name: bool, at: At<'_>, out: &mut Vec<u8>) -> bool {
        let valid = if name { self.name(raw, at) } else { self.value_string(raw, false, at, out) };
        self.state = if name { State::Colon } else { self.behind() };
        valid
    }

    /// Takes a whole name; `false` when it is no valid string.
    fn name(&mut self, raw: &[u8], at: At<'_>) -> bool {
        if self.token.bytes > MAX_STRING_BYTES {
            self.out.name_bytes(self.token.bytes);
            self.hide = Some(Hide::default());
            return true;
        }
        let read = string::read(raw, self.token.escapes, false, &mut self.scratch);
        let Some(read) = read else { return false };
        if !self.out.is_silent() {
            self.hide = self.place.name(&self.masker, read.bytes(), false);
            self.out.name(&self.masker, read, at);
        }
        true
    }

    /// Takes a string value, which may be cut; `false` when it is no valid string.
    pub(super) fn value_string(&mut self, raw: &[u8], cut: bool, at: At<'_>, out: &mut Vec<u8>) -> bool {
        let hide = self.hide.take();
        if self.token.bytes > MAX_STRING_BYTES {
            match hide {
                Some(hide) => self.out.hidden(&self.masker, hide, None, at, out),
                None => self.out.string_bytes(self.token.bytes, at, out),
            }
            return true;
        }
        let letters = self.token.escapes && !self.token.units;
        if letters && hide.is_none() && self.masker.values().is_empty() && string::is_kept(raw) {
            self.out.kept_string(raw, at, out);
            return true;
        }
        let read = string::read(raw, self.token.escapes, cut, &mut self.scratch);
        let Some(read) = read else { return false };
        self.out.value_string(&self.masker, read, hide, cut, at, out);
        true
    }

    /// Takes what is here of a number or a literal. Says where that ends.
    pub(super) fn word(&mut self, chunk: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
        let rest = chunk.get(at..).unwrap_or_default();
        if self.token.bytes == 0
            && let Some(word) = word::whole(rest)
            && word.len() <= MAX_WORD_BYTES
        {
            let here = At { chunk, start: Some(at), end: at + word.len() };
            self.word_is(word, here, out);
            return self.behind_token(chunk, here.end);
        }
        let (part, is_whole) = word::split(rest);
        let end = at + part.len();
        self.token.hold(part, MAX_WORD_BYTES);
        if is_whole {
            self.held_word_ends(At { chunk, start: None, end }, out);
        }
        self.behind_token(chunk, end)
    }

    pub(super) fn held_word_ends(&mut self, at: At<'_>, out: &mut Vec<u8>) {
        let held = mem::take(&mut self.token.held);
        if self.token.bytes <= MAX_WORD_BYTES && word::is_valid(&held) {
            self.word_is(&held, at, out);
        } else {
            self.state = State::Invalid;
        }
        self.token.held = held;
        self.token.clear();
    }

    /// Takes a whole number or literal.
    #[inline]
    fn word_is(&mut self, word: &[u8], at: At<'_>, out: &mut Vec<u8>) {
        match self.hide.take() {
            Some(hide) if word != b"null" || self.masker.removes(hide) => {
                self.out.hidden(&self.masker, hide, str::from_utf8(word).ok(), at, out);
            }
            _ => self.out.word(&self.masker, word, at, out),
        }
        self.state = self.behind();
    }
}
