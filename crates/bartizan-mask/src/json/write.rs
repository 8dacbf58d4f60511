//! What is written of a document: commas, names, values, and nothing inside a value that is hidden.

use std::borrow::Cow;
use std::io::Write as _;
use std::mem;
use std::ops::Range;

use super::run::{At, Run};
use super::stack::Kind;
use super::string::{Read, escaped};
use crate::Masker;
use crate::names::Hide;

#[derive(Default)]
pub(super) struct Writer {
    run: Run,
    /// Where in the chunk the name of the next value stands, where that is written as it came.
    name_at: Range<usize>,
    /// Else the name of the value that comes next, with quotation marks and colon.
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
        self.run.part();
    }

    /// Adds to the masker's total.
    pub(super) fn count(&mut self, masker: &Masker) {
        masker.count(mem::take(&mut self.masked));
    }

    /// Notes that white space is left out here.
    pub(super) fn leave_out(&mut self) {
        self.run.part();
    }

    /// Writes what is left to write of a chunk that ends.
    pub(super) fn chunk_ends(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        self.run.write(chunk, out);
        self.run = Run::default();
        if let Some(name @ [_, ..]) = chunk.get(mem::take(&mut self.name_at)) {
            self.name.extend_from_slice(name);
            self.name.push(b':');
        }
    }

    /// Ends a line and begins the next document.
    pub(super) fn line(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        if self.begun {
            self.run.write(chunk, out);
            self.run.part();
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

    /// Writes all that stands before the value of this token.
    fn before_value(&mut self, at: At<'_>, out: &mut Vec<u8>) {
        if !self.run.write_before(at, out) {
            if self.comma {
                out.push(b',');
            }
            if let Some(name @ [_, ..]) = at.chunk.get(self.name_at.clone()) {
                out.extend_from_slice(name);
                out.push(b':');
            } else {
                out.extend_from_slice(&self.name);
            }
        }
        self.forget_name();
        (self.comma, self.begun) = (true, true);
    }

    fn forget_name(&mut self) {
        self.name.clear();
        self.name_at = 0..0;
    }

    /// Writes this value, or the beginning of it, as it came: these parts.
    #[inline]
    fn value(&mut self, parts: &[&[u8]], at: At<'_>, out: &mut Vec<u8>) {
        if self.run.is_joined() {
            self.name_at = 0..0;
            (self.comma, self.begun) = (true, true);
        } else {
            self.before_value(at, out);
        }
        if at.start.is_some() {
            self.run.keep(at, out);
        } else {
            for part in parts {
                out.extend_from_slice(part);
            }
        }
    }

    pub(super) fn open(&mut self, at: At<'_>, out: &mut Vec<u8>) {
        if self.silent.is_none() {
            self.value(&[], at, out);
            self.comma = false;
        }
    }

    /// Closes a level, after which so many are open.
    pub(super) fn close(&mut self, depth: usize, at: At<'_>, out: &mut Vec<u8>) {
        if self.is_shown_end(depth) {
            self.run.keep(at, out);
        }
    }

    /// Closes a level of which the end is missing.
    pub(super) fn close_cut(&mut self, kind: Kind, depth: usize, out: &mut Vec<u8>) {
        if self.is_shown_end(depth) {
            out.push(if kind == Kind::Object { b'}' } else { b']' });
        }
    }

    /// Whether the end of this level is shown.
    fn is_shown_end(&mut self, depth: usize) -> bool {
        match self.silent {
            None => {
                self.comma = true;
                return true;
            }
            Some(silent) if silent == depth => self.silent = None,
            Some(_) => {}
        }
        false
    }

    /// Takes the name of the next value.
    pub(super) fn name(&mut self, masker: &Masker, read: Read<'_>, at: At<'_>) {
        match shown(masker, read, false) {
            Shown::Same(raw) => self.kept_name(raw, at),
            Shown::Text(text) => {
                self.new_name(|name| escaped(&text, |part| name.extend_from_slice(part.as_bytes())));
            }
        }
    }

    /// Takes the name of the next value, which is written as it came.
    #[inline]
    pub(super) fn kept_name(&mut self, raw: &[u8], at: At<'_>) {
        match at.start {
            Some(start) => {
                self.name.clear();
                self.name_at = start..at.end;
            }
            None => self.new_name(|name| name.extend_from_slice(raw)),
        }
    }

    /// Takes a name that is not in the chunk, of which this writes the inside.
    fn new_name(&mut self, inside: impl FnOnce(&mut Vec<u8>)) {
        self.forget_name();
        self.run.part();
        self.name.push(b'"');
        inside(&mut self.name);
        self.name.extend_from_slice(b"\":");
    }

    /// Takes the name of the next value, of which only the length is known.
    pub(super) fn name_bytes(&mut self, bytes: usize) {
        if self.silent.is_none() {
            // Writing to a vector does not fail.
            self.new_name(|name| drop(write!(name, "[{bytes} bytes]")));
        }
    }

    /// Writes a string value, hidden or shown.
    pub(super) fn value_string(
        &mut self,
        masker: &Masker,
        read: Read<'_>,
        hide: Option<Hide>,
        cut: bool,
        at: At<'_>,
        out: &mut Vec<u8>,
    ) {
        if self.silent.is_some() {
            return;
        }
        match hide {
            Some(hide) if cut => return self.hidden(masker, hide, None, at, out),
            Some(hide) if !read.bytes().is_empty() || masker.removes(hide) => {
                // It is whole, and so it is valid.
                let text = str::from_utf8(read.bytes()).ok();
                return self.hidden(masker, hide, text, at, out);
            }
            _ => {}
        }
        match shown(masker, read, cut) {
            Shown::Same(raw) => self.kept_string(raw, at, out),
            Shown::Text(text) => {
                self.before_value(at, out);
                out.push(b'"');
                escaped(&text, |part| out.extend_from_slice(part.as_bytes()));
                out.push(b'"');
                self.run.begin_behind(at);
            }
        }
    }

    /// Writes a string value as it came.
    #[inline]
    pub(super) fn kept_string(&mut self, raw: &[u8], at: At<'_>, out: &mut Vec<u8>) {
        if self.silent.is_none() {
            self.value(&[b"\"", raw, b"\""], at, out);
        }
    }

    /// Writes a string of which only the length is known.
    pub(super) fn string_bytes(&mut self, bytes: usize, at: At<'_>, out: &mut Vec<u8>) {
        if self.silent.is_none() {
            self.before_value(at, out);
            let _ = write!(out, "\"[{bytes} bytes]\"");
            self.run.begin_behind(at);
        }
    }

    pub(super) fn word(&mut self, masker: &Masker, word: &[u8], at: At<'_>, out: &mut Vec<u8>) {
        if self.silent.is_some() {
            return;
        }
        let mut value = None;
        if !masker.values().is_empty() {
            masker.values().each(word, |_, hide| value = Some(hide));
        }
        match value {
            Some(hide) => self.hidden(masker, hide, str::from_utf8(word).ok(), at, out),
            None => self.value(&[word], at, out),
        }
    }

    /// Writes what stands for a hidden value, of which the text is given where it is known as a whole.
    pub(super) fn hidden(
        &mut self,
        masker: &Masker,
        hide: Hide,
        text: Option<&str>,
        at: At<'_>,
        out: &mut Vec<u8>,
    ) {
        if self.silent.is_some() {
            return;
        }
        if masker.removes(hide) {
            self.forget_name();
            self.run.part();
            self.masked += 1;
            return;
        }
        let hidden = match text {
            Some(text) => masker.hidden(hide, text),
            None => Some(masker.fixed(hide).into()),
        };
        self.before_value(at, out);
        out.push(b'"');
        // What was masked before is not counted again. Neither needs escapes.
        self.masked += usize::from(hidden.is_some());
        let shown = hidden.as_deref().or(text).unwrap_or_default();
        out.extend_from_slice(shown.as_bytes());
        out.push(b'"');
        self.run.begin_behind(at);
    }
}

/// The inside of a string that is shown, masked as text.
enum Shown<'r> {
    /// As it came.
    Same(&'r [u8]),
    Text(Cow<'r, str>),
}

#[inline]
fn shown<'r>(masker: &Masker, read: Read<'r>, cut: bool) -> Shown<'r> {
    let (raw, text) = match read {
        Read::Plain(bytes) if masker.values().is_empty() => return Shown::Same(bytes),
        Read::Plain(bytes) => {
            // They are valid.
            let text = str::from_utf8(bytes).unwrap_or_default();
            (Some(text), text)
        }
        Read::Same(text) if !cut && masker.shows_text(text.as_bytes()) => {
            return Shown::Same(text.as_bytes());
        }
        Read::Same(text) => (Some(text), text),
        Read::Unescaped { raw, text } => (raw, text),
    };
    match (masker.part_of_text(text, cut), raw) {
        (Cow::Borrowed(_), Some(raw)) => Shown::Same(raw.as_bytes()),
        (shown, _) => Shown::Text(shown),
    }
}
