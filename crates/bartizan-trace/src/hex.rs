//! Hex digits, which the ids of every format are made of.

use bartizan_core::TraceIds;
use opentelemetry::trace::{SpanId, TraceId};

/// Reads `2 * OUT` lower case digits. Without branches, so that the compiler makes vector instructions of it; merged with code that
/// takes the bytes apart, it would not.
#[inline(never)]
pub(crate) fn lower<const IN: usize, const OUT: usize>(digits: &[u8; IN]) -> Option<[u8; OUT]> {
    let mut values = [0; IN];
    let mut bad = 0;
    for (value, digit) in values.iter_mut().zip(digits) {
        let past_nine = if *digit > b'9' { 9 } else { 0 };
        *value = ((digit & 0x0f) + past_nine) & 0x0f;
        // It is a digit if that is how its value is written.
        bad |= digit ^ (*value + if *value > 9 { b'a' - 10 } else { b'0' });
    }
    let mut out = [0; OUT];
    for (byte, pair) in out.iter_mut().zip(values.as_chunks().0) {
        let pair = u16::from_le_bytes(*pair);
        *byte = (pair << 4 | pair >> 8) as u8;
    }
    (bad == 0).then_some(out)
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
                let number = lower::<32, 16>(&digits)
                    .map(|bytes| u32::from(bytes[place / 2] >> (4 * (1 - place % 2)) & 15));
                assert_eq!(number, expected, "{byte:#x} at {place}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(trace_id: u128, span_id: u64) {
            let mut digits = [b'-'; 49];
            write_ids(&mut digits, TraceId::from(trace_id), SpanId::from(span_id));
            let (trace, span) = (&digits[..32], &digits[33..]);
            prop_assert_eq!(lower(trace.first_chunk::<32>().unwrap()), Some(trace_id.to_be_bytes()));
            prop_assert_eq!(lower(span.first_chunk::<16>().unwrap()), Some(span_id.to_be_bytes()));
            prop_assert_eq!(number(trace), Some(trace_id));
            prop_assert_eq!((number(span), digits[32]), (Some(span_id.into()), b'-'));
        }
    }
}
