//! Short header values without an allocation each.

use std::cell::RefCell;

use bytes::BytesMut;
use http::HeaderValue;

/// What is cut into values before a new buffer is begun.
const BUFFER: usize = 4096;

/// Longer texts get a buffer of their own.
const MAX_LEN: usize = 256;

/// A header value of this text: a piece of a buffer of 4 KiB that the thread keeps, and begins anew once all pieces are gone.
/// `None` for what cannot stand in a header.
///
/// A value that is kept for long keeps its buffer: copy it.
///
/// ```
/// use bartizan_core::short_header_value;
///
/// assert_eq!(short_header_value("4bf92f3577b34da6a3ce929d0e0e4736").unwrap(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert!(short_header_value("two\nlines").is_none());
/// ```
pub fn short_header_value(text: impl AsRef<[u8]>) -> Option<HeaderValue> {
    short(text.as_ref())
}

fn short(text: &[u8]) -> Option<HeaderValue> {
    thread_local! {
        static KEPT: RefCell<BytesMut> = RefCell::new(BytesMut::with_capacity(BUFFER));
    }
    let cut = KEPT.try_with(|kept| {
        let mut kept = kept.try_borrow_mut().ok().filter(|_| text.len() <= MAX_LEN)?;
        if kept.capacity() < text.len() {
            // Uses the old one again, if no piece of it is left.
            kept.reserve(BUFFER);
        }
        kept.extend_from_slice(text);
        HeaderValue::from_maybe_shared(kept.split().freeze()).ok()
    });
    cut.ok().flatten().or_else(|| HeaderValue::from_bytes(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_as_they_are_while_others_are_made() {
        let texts: Vec<String> = (0..1000).map(|n| format!("value-{n}-{}", "x".repeat(n % 300))).collect();
        let values: Vec<_> = texts.iter().map(|text| short_header_value(text).unwrap()).collect();
        assert!(values.iter().zip(&texts).all(|(value, text)| value == text.as_str()));
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_refused() {
        assert!(short_header_value("a\r\nb").is_none());
        assert_eq!(short_header_value("").unwrap(), "");
    }
}
