//! Hex digits, which the ids of every format are made of.

/// Reads `2 * OUT` lower case digits. Without branches, so that the compiler makes vector instructions of it.
pub(crate) fn lower<const IN: usize, const OUT: usize>(digits: &[u8; IN]) -> Option<[u8; OUT]> {
    let mut bad = 0;
    let values = digits.map(|digit| {
        let is_letter = u8::from(digit.wrapping_sub(b'a') < 6);
        let is_number = u8::from(digit.wrapping_sub(b'0') < 10);
        bad |= 1 - (is_letter | is_number);
        (digit & 0x0f) + 9 * is_letter
    });
    let mut out = [0; OUT];
    for (byte, [high, low]) in out.iter_mut().zip(values.as_chunks().0) {
        *byte = high << 4 | low;
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

/// Writes bytes as lower case digits.
pub(crate) fn write(out: &mut [u8], bytes: &[u8]) {
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        pair[1] = b"0123456789abcdef"[usize::from(byte & 0x0f)];
    }
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
        fn what_is_written_is_read_back(bytes: [u8; 16]) {
            let mut digits = [0; 32];
            write(&mut digits, &bytes);
            prop_assert_eq!(lower(&digits), Some(bytes));
            prop_assert_eq!(number(&digits), Some(u128::from_be_bytes(bytes)));
        }
    }
}
