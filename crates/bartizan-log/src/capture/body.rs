//! One captured body: what is kept while it goes by, and what is shown of it.

use bartizan_mask::{BodyForm, Masker};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Capture;
use super::buffer::{Buffer, count_truncated};
use super::exchange::CapturedBody;
use super::media::essence;
use crate::line::fits_escaped;

/// What a body may take of a log line, escaped.
const MAX_IN_LINE: usize = 20 * 1024;

/// What the headers say of a body.
pub(super) struct Kind {
    media_type: Option<HeaderValue>,
    encoding: Option<HeaderValue>,
}

impl Kind {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self { media_type: sole(headers, &CONTENT_TYPE), encoding: sole(headers, &CONTENT_ENCODING) }
    }

    /// Room for as much of such a body as is kept.
    pub(super) fn buffer(&self, capture: &Capture) -> Buffer {
        let limit = if capture.types.has(self.media_type.as_ref()) { capture.limit } else { 0 };
        Buffer::new(limit, &capture.room)
    }

    /// The body as it may be shown; `None` if there was none. `ended` tells whether it came to its end.
    pub(super) fn show(&self, buffer: &Buffer, ended: bool, masker: &Masker) -> Option<CapturedBody> {
        if buffer.passed() == 0 {
            return None;
        }
        let mut shown = CapturedBody {
            media_type: self.media_type.as_ref().and_then(essence).map(str::to_ascii_lowercase),
            text: String::new(),
            placeholder: true,
            truncated: false,
            bytes: buffer.passed(),
        };
        self.mask(buffer.bytes(), !ended || !buffer.is_whole(), masker, &mut shown);
        if shown.truncated {
            count_truncated();
        }
        Some(shown)
    }

    /// Makes the text short enough for a log line: masks a shorter beginning, so that JSON stays valid.
    pub(super) fn fit(&self, shown: &mut CapturedBody, buffer: &Buffer, masker: &Masker) {
        let mut kept = buffer.bytes();
        while !kept.is_empty() && !fits_escaped(&shown.text, MAX_IN_LINE) {
            kept = kept.get(..kept.len() / 2).unwrap_or_default();
            self.mask(kept, true, masker, shown);
        }
    }

    fn mask(&self, kept: &[u8], cut: bool, masker: &Masker, shown: &mut CapturedBody) {
        // What cannot be read as text is no encoding that can be undone.
        let encoding = self.encoding.as_ref().map(|value| value.to_str().unwrap_or("unknown"));
        shown.text.clear();
        // Of what was not kept a placeholder is all there is to show.
        let media_type = self.media_type.as_ref().filter(|_| !kept.is_empty());
        let media_type = media_type.and_then(|value| value.to_str().ok());
        let written = masker.body(media_type, encoding, kept, cut, &mut shown.text);
        shown.placeholder = written.form == BodyForm::Placeholder;
        shown.truncated = written.cut && !shown.placeholder;
        if shown.placeholder {
            let name = shown.media_type.as_deref().unwrap_or("unknown type");
            shown.text = format!("[{name}, {} bytes]", shown.bytes);
        }
    }
}

/// The only value of a header. Of two, nobody knows which one the service believes: that counts as none that can be read.
fn sole(headers: &HeaderMap, name: &HeaderName) -> Option<HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    let sole = values.next().is_none();
    Some(if sole { first.clone() } else { HeaderValue::from_static("several") })
}
