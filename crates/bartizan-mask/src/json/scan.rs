//! How far a string is plain: it is valid there, means itself, and nothing in it may be masked.

/// How many bytes are looked at together.
const LANES: usize = 16;

/// With the two bytes behind them, which tell whether `Bearer` or `Basic` may begin.
const WINDOW: usize = LANES + 2;

/// How many plain bytes the text begins with. Some bytes that are plain may count as special.
#[inline]
pub(super) fn plain(text: &[u8]) -> usize {
    let (mut at, mut rest) = (0, text);
    while let Some(window) = rest.first_chunk() {
        let length = plain_lanes(window);
        at += length;
        if length < LANES {
            return at;
        }
        rest = rest.get(LANES..).unwrap_or_default();
    }
    at + rest.iter().position(|byte| SPECIAL[usize::from(*byte)]).unwrap_or(rest.len())
}

/// How many plain bytes the first [`LANES`] begin with. Written so that the compiler makes vector instructions
/// of it.
#[inline]
fn plain_lanes(window: &[u8; WINDOW]) -> usize {
    let mut special = [0; LANES];
    let followers = window.iter().skip(1).zip(window.iter().skip(2));
    for ((special, &byte), (&second, &third)) in special.iter_mut().zip(window).zip(followers) {
        // `a` and `e`, and then `a` and `s`, are one byte but for some bits.
        let scheme = [byte | 0x20, second | 0x24, third | 0x32] == *b"bes";
        *special = if is_mark(byte) | scheme { u8::MAX } else { 0 };
    }
    u128::from_le_bytes(special).trailing_zeros() as usize / 8
}

/// Whether the byte ends a string, is not printable ASCII, or may stand before a value or in a name that has to
/// be decoded.
#[inline]
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
const fn is_mark(byte: u8) -> bool {
    let raw = byte.wrapping_add(1).cast_signed() < b'!'.cast_signed();
    let encoded = (byte == b'%') | (byte == b'[');
    raw | encoded | (byte == b'"') | (byte == b'\\') | (byte == b'=') | (byte == b':')
}

/// The special bytes, where those behind them are not looked at.
static SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = is_mark(byte as u8) || matches!(byte as u8, b'b' | b'B');
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::{LANES, plain};

    #[test]
    fn a_special_byte_is_seen_wherever_it_stands() {
        for length in 0..4 * LANES {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'e'; length];
                    text[at] = byte;
                    let special = !matches!(byte, b' '..=b'~') || b"\"\\=:%[".contains(&byte);
                    let seen = plain(&text);
                    assert!(seen == length || (seen == at && (special || b"bB".contains(&byte))), "{byte}");
                    assert_eq!(special, special && seen == at, "{byte}");
                }
            }
        }
    }

    #[test]
    fn the_name_of_a_scheme_is_seen_wherever_it_stands() {
        for length in 6..4 * LANES {
            for at in 0..length - 6 {
                for scheme in ["bearer", "Bearer", "BEARER", "bEaReR", "basic ", "Basic ", "BASIC ", "bAsIc "]
                {
                    let mut text = vec![b'x'; length];
                    text[at..at + 6].copy_from_slice(scheme.as_bytes());
                    assert_eq!(plain(&text), at, "{scheme}");
                }
            }
        }
        let text = "the number of books between two boxes is about seven ";
        assert_eq!(plain(text.repeat(2).as_bytes()), 2 * text.len());
    }
}
