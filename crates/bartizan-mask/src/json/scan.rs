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
        let found = is_special(byte) | is_scheme(byte, second, third);
        *special = if found { u8::MAX } else { 0 };
    }
    u128::from_le_bytes(special).trailing_zeros() as usize / 8
}

/// What else a string may hold.
#[derive(Clone, Copy)]
pub(super) struct Marks(u8);

const CONTROL: u8 = 1;
const NOT_ASCII: u8 = 2;
const TEXT: u8 = 4;

impl Marks {
    /// Whether there are control characters.
    pub(super) fn controls(self) -> bool {
        self.0 & CONTROL != 0
    }

    pub(super) fn is_ascii(self) -> bool {
        self.0 & NOT_ASCII == 0
    }

    /// Whether there is what may stand between a name and its value, or be the name of a scheme.
    pub(super) fn texts(self) -> bool {
        self.0 & TEXT != 0
    }
}

/// The marks in a text.
pub(super) fn marks(text: &[u8]) -> Marks {
    let (mut marks, mut rest) = ([0; LANES], text);
    while let Some(window) = rest.first_chunk::<WINDOW>() {
        let followers = window.iter().skip(1).zip(window.iter().skip(2));
        for ((marks, &byte), (&second, &third)) in marks.iter_mut().zip(window).zip(followers) {
            *marks |= mark(byte, is_scheme(byte, second, third));
        }
        rest = rest.get(LANES..).unwrap_or_default();
    }
    let marks = marks.iter().fold(0, |all, marks| all | marks);
    Marks(rest.iter().fold(marks, |marks, byte| marks | MARKS[usize::from(*byte)]))
}

/// Whether `Bearer` or `Basic`, in letters of any case, may begin with these three.
#[inline]
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
fn is_scheme(first: u8, second: u8, third: u8) -> bool {
    // `a` and `e`, and then `a` and `s`, are one byte but for some bits.
    (first | 0x20 == b'b') & (second | 0x24 == b'e') & (third | 0x32 == b's')
}

#[inline]
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
const fn mark(byte: u8, scheme: bool) -> u8 {
    let text = (byte == b'=') | (byte == b':') | (byte == b'%') | scheme;
    (if byte < b' ' { CONTROL } else { 0 })
        | (if byte >= 0x80 { NOT_ASCII } else { 0 })
        | (if text { TEXT } else { 0 })
}

/// The marks of the bytes, where those behind them are not looked at.
static MARKS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = mark(byte as u8, matches!(byte as u8, b'b' | b'B'));
        byte += 1;
    }
    table
};

/// Whether the byte ends a string, is not printable ASCII, or may stand before a value or in a name that has to
/// be decoded.
#[inline]
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
const fn is_special(byte: u8) -> bool {
    let raw = byte.wrapping_add(1).cast_signed() < b'!'.cast_signed();
    let encoded = (byte == b'%') | (byte == b'[');
    raw | encoded | (byte == b'"') | (byte == b'\\') | (byte == b'=') | (byte == b':')
}

/// The special bytes, where those behind them are not looked at.
static SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = is_special(byte as u8) || matches!(byte as u8, b'b' | b'B');
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::{LANES, marks, plain};

    #[test]
    fn a_special_byte_is_seen_wherever_it_stands() {
        for length in 0..4 * LANES {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'e'; length];
                    text[at] = byte;
                    let held = marks(&text);
                    assert_eq!(held.controls(), byte < b' ');
                    assert_eq!(held.is_ascii(), byte.is_ascii());
                    assert!(held.texts() || !b"=:%".contains(&byte));
                    assert!(!held.texts() || b"=:%bB".contains(&byte));
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
                    assert!(marks(&text).texts(), "{scheme}");
                }
            }
        }
        let text = "the number of books between two boxes is about seven ";
        assert_eq!(plain(text.repeat(2).as_bytes()), 2 * text.len());
        assert!(!marks(text.as_bytes()).texts());
    }
}
