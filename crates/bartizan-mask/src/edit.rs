//! How a masked text is written: what a finder hides is replaced, the rest is kept.

use std::borrow::Cow;
use std::fmt;
use std::iter;
use std::ops::Range;

use memchr::memchr2;

use crate::Masker;
use crate::look::{self, RAW};
use crate::names::{Hide, Names};
use crate::percent::decode;

/// What becomes of a kept byte that is not printable ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    /// It stays (the input is a `str`).
    Nothing,
    /// `%C3`, for what is part of a URL.
    Percent,
    /// `\xC3`, for header values.
    Hex,
}

/// One pass over one input. Finders call [`hide`](Self::hide) from left to right.
pub(crate) struct Edit<'a> {
    input: &'a [u8],
    /// Whether there is something to escape.
    raw: bool,
    /// Everything before this offset is written.
    done: usize,
    masked: usize,
    escape: Escape,
    /// Whether the input is only the beginning of one.
    cut: bool,
    masker: &'a Masker,
    out: &'a mut dyn fmt::Write,
    result: fmt::Result,
}

impl<'a> Edit<'a> {
    #[inline]
    fn new(masker: &'a Masker, input: &'a [u8], escape: Escape, out: &'a mut dyn fmt::Write) -> Self {
        let raw = escape != Escape::Nothing && look::any::<RAW>(input);
        Self { input, raw, done: 0, masked: 0, escape, cut: false, masker, out, result: Ok(()) }
    }

    pub(crate) fn input(&self) -> &'a [u8] {
        self.input
    }

    /// Whether the input may be only the beginning of one, so that what ends with it may go on.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether what ends here may go on.
    pub(crate) fn is_cut_at(&self, end: usize) -> bool {
        self.cut && end == self.input.len()
    }

    pub(crate) fn set_cut(&mut self, cut: bool) {
        self.cut = cut;
    }

    pub(crate) fn censor(&self) -> &'a str {
        self.masker.censor()
    }

    /// A part of the input; empty where there is none.
    pub(crate) fn slice(&self, span: Range<usize>) -> &'a [u8] {
        self.input.get(span).unwrap_or_default()
    }

    /// Puts the censor in place of this part. An empty part stays: there is nothing to hide in it.
    pub(crate) fn hide(&mut self, span: Range<usize>) {
        self.cover(span, self.censor());
    }

    /// Hides this part as the rule for its name says.
    pub(crate) fn hide_as(&mut self, span: Range<usize>, hide: Hide) {
        let masker = self.masker;
        if !masker.needs_value(hide) || self.is_cut_at(span.end) {
            return self.cover(span, masker.fixed(hide));
        }
        let value = self.slice(self.done.max(span.start)..span.end);
        let value = if self.escape == Escape::Percent { decoded(value).0 } else { value.into() };
        let value = String::from_utf8_lossy(&value);
        if let (Some(hidden), false) = (masker.hidden(hide, &value), value.is_empty()) {
            self.cover(span, &hidden);
        }
    }

    /// Puts OpenTelemetry's word in place of the user name and the password of a URL.
    pub(crate) fn hide_user_info(&mut self, span: Range<usize>) {
        let password = self.slice(span.clone()).contains(&b':');
        self.cover(span, if password { "REDACTED:REDACTED" } else { "REDACTED" });
    }

    fn cover(&mut self, span: Range<usize>, word: &str) {
        let span = self.done.max(span.start)..span.end;
        let hidden = self.slice(span.clone());
        // What was masked before is neither masked nor counted again.
        if !hidden.is_empty() && hidden != word.as_bytes() {
            self.keep(span.start);
            self.result = self.result.and_then(|()| self.out.write_str(word));
            self.done = span.end;
            self.masked += 1;
        }
    }

    fn keep(&mut self, end: usize) {
        if !self.masker.values().is_empty() {
            return self.keep_but_values(end);
        }
        self.write(self.done..end);
    }

    fn write(&mut self, span: Range<usize>) {
        let kept = self.slice(span);
        let escape = if self.raw { self.escape } else { Escape::Nothing };
        self.result = self.result.and_then(|()| write_kept(kept, escape, self.out));
    }

    /// Writes what is kept, save the values in it that show themselves by their shape.
    fn keep_but_values(&mut self, end: usize) {
        let (masker, start) = (self.masker, self.done);
        let kept = self.slice(start..end);
        let (text, offsets) =
            if self.escape == Escape::Percent { decoded(kept) } else { (kept.into(), None) };
        // Where a byte of what was meant stands in the input.
        let place =
            |at: usize| start + offsets.as_ref().map_or(at, |all| all.get(at).copied().unwrap_or(kept.len()));
        let cut = if self.is_cut_at(end) { masker.values().safe_end(&text) } else { text.len() };
        masker.values().each(&text, |span, hide| {
            let value = String::from_utf8_lossy(text.get(span.clone()).unwrap_or_default());
            if span.start < cut
                && let Some(hidden) = masker.hidden(hide, &value)
            {
                self.write(self.done..place(span.start));
                self.result = self.result.and_then(|()| self.out.write_str(&hidden));
                self.done = place(span.end);
                self.masked += 1;
            }
        });
        self.write(self.done..place(cut).max(self.done));
        self.done = end;
    }

    /// Whether the output would be the input.
    fn is_untouched(&self) -> bool {
        self.masked == 0 && !self.raw
    }

    fn finish(mut self) -> Result<usize, fmt::Error> {
        self.keep(self.input.len());
        self.result.map(|()| self.masked)
    }
}

impl Masker {
    /// Writes the input with what `find` hides replaced; says how many values that were.
    pub(crate) fn edit(
        &self,
        input: &[u8],
        escape: Escape,
        out: &mut dyn fmt::Write,
        find: impl FnOnce(&Names, &mut Edit<'_>),
    ) -> Result<usize, fmt::Error> {
        let mut edit = Edit::new(self, input, escape, out);
        find(self.names(), &mut edit);
        let masked = edit.finish();
        masked.inspect(|masked| self.count(*masked))
    }

    /// As [`edit`](Self::edit), but borrows the input where nothing changes.
    pub(crate) fn edit_cow<'i>(
        &self,
        input: &'i str,
        escape: Escape,
        find: impl FnOnce(&Names, &mut Edit<'_>),
    ) -> (Cow<'i, str>, usize) {
        let mut out = String::new();
        let mut edit = Edit::new(self, input.as_bytes(), escape, &mut out);
        find(self.names(), &mut edit);
        if edit.is_untouched() && self.values().is_empty() {
            return (Cow::Borrowed(input), 0);
        }
        // Writing to a `String` does not fail.
        let masked = edit.finish().unwrap_or_default();
        self.count(masked);
        (if out == input { Cow::Borrowed(input) } else { Cow::Owned(out) }, masked)
    }
}

/// A part of a URL or a form as it was meant, and where each of its bytes begins, if that is not the same.
fn decoded(part: &[u8]) -> (Cow<'_, [u8]>, Option<Vec<usize>>) {
    if memchr2(b'%', b'+', part).is_none() {
        return (part.into(), None);
    }
    let mut at = 0;
    let bytes = iter::from_fn(|| {
        let start = at;
        let (byte, next) = decode(part, at)?;
        at = next;
        Some((if part.get(start) == Some(&b'+') { b' ' } else { byte }, start))
    });
    let (bytes, offsets): (Vec<u8>, Vec<usize>) = bytes.unzip();
    (bytes.into(), Some(offsets))
}

fn write_kept(kept: &[u8], escape: Escape, out: &mut dyn fmt::Write) -> fmt::Result {
    if escape == Escape::Nothing {
        if let Ok(kept) = str::from_utf8(kept) {
            return out.write_str(kept);
        }
        // Spans begin and end at ASCII bytes, so this is not reached.
        return kept.utf8_chunks().try_for_each(|chunk| out.write_str(chunk.valid()));
    }
    let mut rest = kept;
    loop {
        let (text, tail) =
            look::first::<RAW>(rest).and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, &[]));
        if let Ok(text) = str::from_utf8(text) {
            out.write_str(text)?;
        }
        let Some((byte, tail)) = tail.split_first() else { return Ok(()) };
        write_escaped(*byte, escape, out)?;
        rest = tail;
    }
}

fn write_escaped(byte: u8, escape: Escape, out: &mut dyn fmt::Write) -> fmt::Result {
    match escape {
        Escape::Hex => write!(out, "\\x{byte:02X}"),
        Escape::Nothing | Escape::Percent => write!(out, "%{byte:02X}"),
    }
}
