//! Most of a document is written as it came, and so it is copied in runs as long as can be.

use std::ops::Range;

/// A part of the chunk that is written as it came, but not yet.
#[derive(Default)]
pub(super) struct Run {
    span: Range<usize>,
    /// Whether what stands behind it, up to the next value, is what has to be written there.
    joined: bool,
}

/// Where a token stands.
#[derive(Clone, Copy)]
pub(super) struct At<'c> {
    pub(super) chunk: &'c [u8],
    /// The offset at which it begins; `None` if that was in an earlier chunk.
    pub(super) start: Option<usize>,
    pub(super) end: usize,
}

impl<'c> At<'c> {
    /// A token that is in no chunk any more.
    pub(super) const NOWHERE: At<'static> = At { chunk: &[], start: None, end: 0 };

    /// A token of one byte.
    pub(super) fn byte(chunk: &'c [u8], at: usize) -> Self {
        Self { chunk, start: Some(at), end: at + 1 }
    }
}

impl Run {
    pub(super) fn is_joined(&self) -> bool {
        self.joined
    }

    /// Notes that not all of what follows is written as it came.
    pub(super) fn part(&mut self) {
        self.joined = false;
    }

    /// Takes in this token.
    #[inline]
    pub(super) fn keep(&mut self, at: At<'_>, out: &mut Vec<u8>) {
        if !self.joined {
            self.write(at.chunk, out);
            *self = Self { span: at.start.unwrap_or(at.end)..at.end, joined: true };
        }
        self.span.end = at.end;
    }

    /// Writes the run, with what stands between it and this token if that has to be written; says whether that was so.
    pub(super) fn write_before(&mut self, at: At<'_>, out: &mut Vec<u8>) -> bool {
        let start = at.start.filter(|_| self.joined);
        self.span.end = start.unwrap_or(self.span.end);
        self.write(at.chunk, out);
        start.is_some()
    }

    /// Writes the run.
    pub(super) fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(chunk.get(self.span.clone()).unwrap_or_default());
        self.span.start = self.span.end;
    }

    /// Begins behind this token, in place of which something else was written.
    pub(super) fn begin_behind(&mut self, at: At<'_>) {
        *self = Self { span: at.end..at.end, joined: at.start.is_some() };
    }
}
