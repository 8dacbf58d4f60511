//! Hex digits, which the ids of every format are made of.

use bartizan_core::TraceIds;
use opentelemetry::trace::{SpanId, TraceId};

/// A one in every byte of a word.
const ONES: u64 = u64::MAX / 0xff;

/// Reads up to 32 lower case digits, eight at a time: a word has one in each byte. No sum or product below leaves its byte.
#[inline]
pub(crate) fn lower(digits: &[[u8; 8]]) -> Option<u128> {
    let (mut number, mut bad) = (0, 0);
    for eight in digits {
        let word = u64::from_be_bytes(*eight);
        // Numbers are 0x30 to 0x39 and letters 0x61 to 0x66, so this is a one for each letter.
        let letters = word >> 6 & ONES;
        let (high, low) = (word & (0xf0 * ONES), word & (0x0f * ONES));
        bad |= high ^ (0x30 * ONES + 0x30 * letters);
        // Past 9, or past 6 for a letter; and a letter at 0.
        bad |= (low + 6 * ONES + 3 * letters) & (0x10 * ONES);
        bad |= !((low + 0x0f * ONES) >> 4) & letters;
        let nibbles = low + 9 * letters;
        let bytes = (nibbles >> 4 | nibbles) & 0x00ff_00ff_00ff_00ff;
        let halves = (bytes >> 8 | bytes) & 0x0000_ffff_0000_ffff;
        number = number << 32 | u128::from((halves >> 16 | halves) as u32);
    }
    (bad == 0).then_some(number)
}

/// Reads 1 to 32 digits of either case.
pub(crate) fn number(digits: &[u8]) -> Option<u128> {
    if !(1..=32).contains(&digits.len()) {
        return None;
    }
    digits
        .iter()
        .try_fold(0, |number, digit| Some(number << 4 | u128::from(char::from(*digit).to_digit(16)?)))
}

/// Writes both ids, one byte apart, over the beginning of what is at least 49 bytes long.
pub(crate) fn write_ids(out: &mut [u8], trace_id: TraceId, span_id: SpanId) {
    let ids = TraceIds { trace_id: trace_id.to_bytes(), span_id: span_id.to_bytes(), sampled: false };
    out[..32].copy_from_slice(ids.trace_id_hex().as_bytes());
    out[33..49].copy_from_slice(ids.span_id_hex().as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_has_1_to_32_digits() {
        assert_eq!(number(b""), None);
        assert_eq!(number(b"0aF"), Some(0xaf));
        assert_eq!(number(&[b'f'; 32]), Some(u128::MAX));
        assert_eq!(number(&[b'0'; 33]), None);
        for bad in ["g", "+1", " 1", "1_0", "0x1", "\u{0661}"] {
            assert_eq!(number(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn only_lower_case_digits_count_wherever_they_stand() {
        for byte in 0..=255_u8 {
            for place in 0..32 {
                let mut digits = [b'0'; 32];
                digits[place] = byte;
                let expected = char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
                let expected = expected.map(|digit| u128::from(digit) << (4 * (31 - place)));
                assert_eq!(lower(digits.as_chunks().0), expected, "{byte:#x} at {place}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(trace_id: u128, span_id: u64) {
            let mut digits = [b'-'; 49];
            write_ids(&mut digits, TraceId::from(trace_id), SpanId::from(span_id));
            let (trace, span) = (&digits[..32], &digits[33..]);
            prop_assert_eq!(lower(trace.as_chunks().0), Some(trace_id));
            prop_assert_eq!(lower(span.as_chunks().0), Some(span_id.into()));
            prop_assert_eq!(number(trace), Some(trace_id));
            prop_assert_eq!((number(span), digits[32]), (Some(span_id.into()), b'-'));
        }
    }
}
