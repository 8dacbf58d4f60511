//! Output of a bounded number of characters, with one blank between words.

use std::fmt::{self, Write};

use crate::Masker;

pub(super) struct Cut<'a> {
    out: &'a mut dyn Write,
    chars: usize,
    blank: bool,
    result: fmt::Result,
}

impl<'a> Cut<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, chars: 0, blank: false, result: Ok(()) }
    }

    pub(super) fn has_room(&self) -> bool {
        self.chars <= Masker::MAX_SQL_CHARS && self.result.is_ok()
    }

    /// There is white space before what comes next, if anything came before.
    pub(super) fn blank(&mut self) {
        self.blank = self.chars > 0;
    }

    pub(super) fn push(&mut self, text: &str) {
        if std::mem::take(&mut self.blank) {
            self.write(" ");
        }
        self.write(text);
    }

    fn write(&mut self, text: &str) {
        let room = Masker::MAX_SQL_CHARS.saturating_sub(self.chars);
        let end = text.char_indices().nth(room).map_or(text.len(), |(end, _)| end);
        let kept = text.get(..end).unwrap_or_default();
        if self.chars <= Masker::MAX_SQL_CHARS {
            self.result = self.result.and_then(|()| self.out.write_str(kept));
        }
        let cut = kept.len() < text.len();
        // One more than there may be says that something is missing.
        self.chars += if cut { room + 1 } else { kept.chars().count() };
    }

    pub(super) fn end(self) -> fmt::Result {
        self.result?;
        if self.chars > Masker::MAX_SQL_CHARS { self.out.write_str("...") } else { Ok(()) }
    }
}
