//! One captured body: what is kept while it goes by, and what is shown of it.

use bartizan_mask::Masker;
use http::{HeaderMap, HeaderValue, header};

use super::Capture;
use super::buffer::{Buffer, count_truncated};
use super::exchange::CapturedBody;
use super::media::essence;
use crate::line::fits_escaped;

/// What a body may take of a log line, escaped.
const MAX_IN_LINE: usize = 20 * 1024;

/// What the headers say of a body. Cloning counts references.
#[derive(Debug)]
pub(super) struct Kind {
    media_type: Option<HeaderValue>,
    encoding: Option<HeaderValue>,
}

impl Kind {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let get = |name| headers.get(name).cloned();
        Self { media_type: get(header::CONTENT_TYPE), encoding: get(header::CONTENT_ENCODING) }
    }

    /// How much of such a body is kept.
    pub(super) fn buffer(&self, capture: &Capture) -> Buffer {
        let limit = if capture.types.has(self.media_type.as_ref()) { capture.limit } else { 0 };
        Buffer::new(limit, &capture.room)
    }

    /// The body as it may be shown; `None` if there was none. `ended` tells whether it came to its end.
    pub(super) fn show(&self, buffer: &Buffer, ended: bool, masker: &Masker) -> Option<CapturedBody> {
        if buffer.passed() == 0 {
            return None;
        }
        let truncated = !ended || !buffer.is_whole();
        if truncated && !buffer.bytes().is_empty() {
            count_truncated();
        }
        let (text, placeholder) = self.mask(buffer.bytes(), truncated, masker);
        Some(CapturedBody {
            media_type: self.media_type.as_ref().and_then(essence).map(str::to_ascii_lowercase),
            text,
            placeholder,
            truncated,
            bytes: buffer.passed(),
        })
    }

    /// Makes the text short enough for a log line: masks a shorter beginning, so that JSON stays valid.
    pub(super) fn fit(&self, shown: &mut CapturedBody, buffer: &Buffer, masker: &Masker) {
        let mut kept = buffer.bytes();
        while !kept.is_empty() && !fits_escaped(&shown.text, MAX_IN_LINE) {
            kept = kept.get(..kept.len() / 2).unwrap_or_default();
            (shown.text, shown.placeholder) = self.mask(kept, true, masker);
            shown.truncated = true;
        }
    }

    fn mask(&self, bytes: &[u8], cut: bool, masker: &Masker) -> (String, bool) {
        let _ = (bytes, cut, masker, &self.encoding);
        ("[body]".to_owned(), true)
    }
}
