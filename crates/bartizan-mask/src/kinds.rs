//! Which kinds of bytes an input holds, in one cheap pass: most inputs hold nothing that a finder could
//! find, and are known by that.

/// A set of kinds of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

/// How many bytes are looked at together.
const LANES: usize = 16;

/// How many bytes of a name are looked at together.
const WORD: usize = 8;

static TABLE: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = kind(byte as u8);
        byte += 1;
    }
    table
};

/// The kinds of a byte.
const fn kind(byte: u8) -> u8 {
    let mark = matches!(byte, b':' | b'%');
    let encoded = matches!(byte, b'%' | b'[');
    (mark as u8 * Kinds::MARK.0)
        | ((byte == b'=') as u8 * Kinds::EQUALS.0)
        | ((byte == b'@') as u8 * Kinds::AT.0)
        | ((byte | 0x20 == b'b') as u8 * Kinds::SCHEME.0)
        | (encoded as u8 * Kinds::ENCODED.0)
        | ((byte.wrapping_sub(b' ') > b'~' - b' ') as u8 * Kinds::RAW.0)
}

impl Kinds {
    /// `:`, or the `%` of an escape that may stand for it or for `=`.
    pub(crate) const MARK: Self = Self(1);
    /// The `@` behind the user info of a URL.
    pub(crate) const AT: Self = Self(2);
    /// The first letter of `Bearer` and `Basic`.
    pub(crate) const SCHEME: Self = Self(4);
    /// What makes a name that is not judged as it stands: an escape, a bracket. Only of names.
    pub(crate) const ENCODED: Self = Self(8);
    /// Outside printable ASCII.
    pub(crate) const RAW: Self = Self(16);
    pub(crate) const EQUALS: Self = Self(32);
    /// Without any of these there is neither a name nor a URL in front of a value.
    pub(crate) const PAIR: Self = Self(Self::MARK.0 | Self::EQUALS.0);
    /// Without any of these there is nothing to find in a URL.
    pub(crate) const URL: Self = Self(Self::PAIR.0 | Self::AT.0);

    /// The kinds of the bytes in `input`; of a longer one none at all where it is clean, else all that it may hold. Whether it has
    /// bytes outside printable ASCII is always told.
    #[inline]
    pub(crate) fn of(input: &[u8]) -> Self {
        if input.len() <= LANES {
            Self::of_each(input)
        } else if is_clean(input) {
            Self(0)
        } else if is_raw(input) {
            Self(u8::MAX)
        } else {
            Self(!Self::RAW.0)
        }
    }

    /// [`of`](Self::of) for what is short, such as a name.
    #[inline]
    pub(crate) fn of_each(input: &[u8]) -> Self {
        Self(input.iter().fold(0, |kinds, byte| kinds | TABLE[usize::from(*byte)]))
    }

    /// The input before the first byte that is an end, with its kinds, and the rest from that byte on.
    #[inline]
    pub(crate) fn split(input: &[u8], is_end: impl Fn(u8) -> bool) -> (&[u8], &[u8], Self) {
        let (mut kinds, mut length) = (0, 0);
        for &byte in input {
            if is_end(byte) {
                break;
            }
            kinds |= TABLE[usize::from(byte)];
            length += 1;
        }
        let (head, tail) = input.split_at_checked(length).unwrap_or((input, &[]));
        (head, tail, Self(kinds))
    }

    /// Whether a name has to be decoded.
    #[inline]
    pub(crate) fn is_encoded(name: &[u8]) -> bool {
        let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) else {
            return Self::of_each(name).any(Self::ENCODED);
        };
        if name.len() > 2 * WORD {
            return Self::of_each(name).any(Self::ENCODED);
        }
        let [first, last] = [first, last].map(|word| u64::from_le_bytes(*word));
        has(first, b'%') | has(first, b'[') | has(last, b'%') | has(last, b'[') != 0
    }

    /// Whether any of these kinds is here.
    #[inline]
    pub(crate) fn any(self, kinds: Self) -> bool {
        self.0 & kinds.0 != 0
    }
}

/// A bit in each byte of a word, the first one lowest, that is this one, and perhaps in some behind such a byte.
#[inline]
pub(crate) fn bytes_of(word: [u8; WORD], byte: u8) -> u64 {
    has(u64::from_le_bytes(word), byte)
}

/// Not 0 where a byte of the word is this one. (Subtracting 1 borrows only from a byte that is 0.)
#[inline]
fn has(word: u64, byte: u8) -> u64 {
    let zero = word ^ u64::from_le_bytes([byte; WORD]);
    zero.wrapping_sub(u64::from_le_bytes([0x01; WORD])) & !zero & u64::from_le_bytes([0x80; WORD])
}

/// Whether these bytes, more than [`LANES`], are printable ASCII without `=`, `:`, `%`, `@` and without what
/// `Bearer` or `Basic` may begin with. Written so that the compiler makes vector instructions of it.
fn is_clean(input: &[u8]) -> bool {
    let (Some(head), Some(&end)) = (input.last_chunk(), input.last()) else { return false };
    let mut found = window(head);
    let mut rest = input;
    while let Some(head) = rest.first_chunk() {
        let next = window(head);
        for (found, next) in found.iter_mut().zip(next) {
            *found |= next;
        }
        rest = rest.get(LANES..).unwrap_or_default();
    }
    // The windows overlap; a `b` at the very end begins nothing.
    !found.into_iter().fold(false, |any, found| any | found)
        && TABLE[usize::from(end)] & !Kinds::SCHEME.0 == 0
}

/// Whether there is a byte outside printable ASCII.
fn is_raw(input: &[u8]) -> bool {
    let (blocks, rest) = input.as_chunks::<LANES>();
    let raw = |bytes: &[u8]| {
        bytes.iter().fold(0, |raw, byte| raw | u8::from(byte.wrapping_sub(b' ') > b'~' - b' ')) != 0
    };
    blocks.iter().any(|block| raw(block)) || raw(rest)
}

/// Which of these bytes, but the last one, count.
#[inline]
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
fn window(bytes: &[u8; LANES + 1]) -> [bool; LANES] {
    let mut found = [false; LANES];
    for ((found, &byte), &next) in found.iter_mut().zip(bytes).zip(bytes.iter().skip(1)) {
        // The second letter is `a` or `e`, which differ in one bit.
        let scheme = (byte | 0x20 == b'b') & (next | 0x24 == b'e');
        let mark = (byte == b'=') | (byte == b':') | (byte == b'%') | (byte == b'@');
        *found = scheme | mark | (byte.wrapping_add(1).cast_signed() < b'!'.cast_signed());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Kinds, LANES};

    #[test]
    fn a_byte_is_seen_wherever_it_stands() {
        for length in 0..4 * LANES {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut input = vec![b'e'; length];
                    input[at] = byte;
                    let kinds = Kinds::of(&input);
                    let first =
                        input.windows(2).any(|pair| matches!(pair, [b'b' | b'B', b'a' | b'A' | b'e' | b'E']));
                    let all = length > LANES && kinds.any(Kinds::URL);
                    assert_eq!(kinds.any(Kinds::MARK), b":%".contains(&byte) || all);
                    assert_eq!(kinds.any(Kinds::EQUALS), byte == b'=' || all);
                    assert_eq!(kinds.any(Kinds::AT), byte == b'@' || all);
                    assert!(all || length <= LANES || !(b"=:%@".contains(&byte) || first));
                    assert!(!all || !byte.is_ascii_alphanumeric() || first);
                    assert!(kinds.any(Kinds::SCHEME) || !first);
                    assert_eq!(Kinds::is_encoded(&input), b"%[".contains(&byte));
                    assert_eq!(kinds.any(Kinds::RAW), !matches!(byte, b' '..=b'~'));
                }
            }
        }
    }
}
