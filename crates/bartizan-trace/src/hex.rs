//! Hex digits, which the ids of every format are made of.

/// What a byte is worth as a lower case digit, or [`NO_DIGIT`].
static LOWER: [u8; 256] = lower_digits();
const NO_DIGIT: u8 = 0xff;

const fn lower_digits() -> [u8; 256] {
    let mut table = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    table
}

/// Reads `2 * OUT` lower case digits.
pub(crate) fn lower<const IN: usize, const OUT: usize>(digits: &[u8; IN]) -> Option<[u8; OUT]> {
    let mut out = [0; OUT];
    let mut seen = 0;
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = (LOWER[usize::from(pair[0])], LOWER[usize::from(pair[1])]);
        seen |= high | low;
        *byte = high << 4 | low & 0x0f;
    }
    // One check at the end: a byte that is no digit sets bits above the low four.
    (seen < 16).then_some(out)
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
