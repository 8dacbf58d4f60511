//! What is written of a document: commas, names, values, and nothing inside a value that is hidden.

use std::borrow::Cow;
use std::io::Write as _;

use super::stack::Kind;
use super::string::{Read, escaped};
use crate::Masker;
use crate::names::Hide;

#[derive(Default)]
pub(super) struct Writer {
    /// The name, with quotation marks and colon, of the value that comes next.
    name: Vec<u8>,
    /// Whether a comma has to stand before the next value.
    comma: bool,
    /// Whether anything was written of this document.
    begun: bool,
    /// Whether a line was ended.
    lines: bool,
    /// The depth of the hidden value that we are in.
    silent: Option<usize>,
    masked: usize,
}

impl Writer {
    pub(super) fn is_silent(&self) -> bool {
        self.silent.is_some()
    }

    /// Writes nothing until the level that is opened at this depth is closed.
    pub(super) fn be_silent(&mut self, depth: usize) {
        self.silent = Some(depth);
    }

    /// Adds to the masker's total.
    pub(super) fn count(&mut self, masker: &Masker) {
        masker.count(std::mem::take(&mut self.masked));
    }

    /// Ends a line and begins the next document.
    pub(super) fn line(&mut self, out: &mut Vec<u8>) {
        if self.begun {
            out.push(b'\n');
            (self.begun, self.lines, self.comma) = (false, true, false);
        }
    }

    /// Makes a document of nothing.
    pub(super) fn nothing(&mut self, out: &mut Vec<u8>) {
        if !self.begun && !self.lines {
            out.extend_from_slice(b"null");
        }
    }

    fn before_value(&mut self, out: &mut Vec<u8>) {
        if self.comma {
            out.push(b',');
        }
        out.extend_from_slice(&self.name);
        self.name.clear();
        (self.comma, self.begun) = (true, true);
    }

    pub(super) fn open(&mut self, kind: Kind, out: &mut Vec<u8>) {
        if self.silent.is_none() {
            self.before_value(out);
            out.push(if kind == Kind::Object { b'{' } else { b'[' });
            self.comma = false;
        }
    }

    /// Closes a level, after which so many are open.
    pub(super) fn close(&mut self, kind: Kind, depth: usize, out: &mut Vec<u8>) {
        match self.silent {
            None => {
                out.push(if kind == Kind::Object { b'}' } else { b']' });
                self.comma = true;
            }
            Some(silent) if silent == depth => self.silent = None,
            Some(_) => {}
        }
    }

    /// Takes the name of the next value.
    pub(super) fn name(&mut self, masker: &Masker, read: &Read<'_>) {
        self.name.clear();
        self.name.push(b'"');
        inside(masker, read, false, &mut self.name);
        self.name.extend_from_slice(b"\":");
    }

    /// Takes the name of the next value, of which only the length is known.
    pub(super) fn name_bytes(&mut self, bytes: usize) {
        if self.silent.is_none() {
            self.name.clear();
            // Writing to a vector does not fail.
            let _ = write!(self.name, "\"[{bytes} bytes]\":");
        }
    }

    pub(super) fn string(&mut self, masker: &Masker, read: &Read<'_>, cut: bool, out: &mut Vec<u8>) {
        if self.silent.is_none() {
            self.before_value(out);
            out.push(b'"');
            inside(masker, read, cut, out);
            out.push(b'"');
        }
    }

    /// Writes a string of which only the length is known.
    pub(super) fn string_bytes(&mut self, bytes: usize, out: &mut Vec<u8>) {
        if self.silent.is_none() {
            self.before_value(out);
            let _ = write!(out, "\"[{bytes} bytes]\"");
        }
    }

    pub(super) fn word(&mut self, masker: &Masker, word: &[u8], out: &mut Vec<u8>) {
        let mut value = None;
        if self.silent.is_none() && !masker.values().is_empty() {
            masker.values().each(word, |_, hide| value = Some(hide));
        }
        if let Some(hide) = value {
            self.hidden(masker, hide, str::from_utf8(word).ok(), out);
        } else if self.silent.is_none() {
            self.before_value(out);
            out.extend_from_slice(word);
        }
    }

    /// Writes what stands for a hidden value, of which the text is given where it is known as a whole.
    pub(super) fn hidden(&mut self, masker: &Masker, hide: Hide, text: Option<&str>, out: &mut Vec<u8>) {
        if self.silent.is_some() {
            return;
        }
        if masker.removes(hide) {
            self.name.clear();
            self.masked += 1;
            return;
        }
        let hidden = match text {
            Some(text) => masker.hidden(hide, text),
            None => Some(masker.fixed(hide).into()),
        };
        self.before_value(out);
        out.push(b'"');
        // What was masked before is not counted again. Neither needs escapes.
        self.masked += usize::from(hidden.is_some());
        let shown = hidden.as_deref().or(text).unwrap_or_default();
        out.extend_from_slice(shown.as_bytes());
        out.push(b'"');
    }
}

/// Writes a string that is shown, masked as text.
fn inside(masker: &Masker, read: &Read<'_>, cut: bool, out: &mut Vec<u8>) {
    let (raw, text) = match read {
        Read::Plain(bytes) if masker.values().is_empty() => return out.extend_from_slice(bytes),
        Read::Plain(bytes) => {
            // They are valid.
            let text = str::from_utf8(bytes).unwrap_or_default();
            (Some(text), text)
        }
        Read::Same(text) => (Some(*text), *text),
        Read::Unescaped { raw, text } => (*raw, *text),
    };
    match (masker.part_of_text(text, cut), raw) {
        (Cow::Borrowed(_), Some(raw)) => out.extend_from_slice(raw.as_bytes()),
        (shown, _) => escaped(&shown, |part| out.extend_from_slice(part.as_bytes())),
    }
}
