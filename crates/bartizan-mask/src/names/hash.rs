//! Names in their normal form, and their hashes.

use std::iter;

use super::MAX_NAME_BYTES;
use crate::percent::decode;

/// A set of hashes that may hold more than was put in.
pub(super) struct Bits([u64; 64]);

impl Default for Bits {
    fn default() -> Self {
        Self([0; 64])
    }
}

impl Bits {
    pub(super) fn insert(&mut self, hash: u64) {
        let (word, bit) = Self::place(hash);
        self.0[word] |= bit;
    }

    #[inline]
    pub(super) fn contains(&self, hash: u64) -> bool {
        let (word, bit) = Self::place(hash);
        self.0[word] & bit != 0
    }

    #[inline]
    fn place(hash: u64) -> (usize, u64) {
        ((hash >> 58) as usize, 1 << (hash >> 52 & 63))
    }
}

pub(super) const SEED: u64 = 0;

pub(super) const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The high bits of a product depend on all that went into it, so it is those that are looked at.
#[inline]
pub(super) fn mix(hash: u64, byte: u8) -> u64 {
    (hash.rotate_left(5) ^ u64::from(byte)).wrapping_mul(FACTOR)
}

/// A name of a JSON string in a text, however often it was escaped.
#[cold]
pub(super) fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = name;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        let digits =
            (*byte == b'\\').then(|| tail.strip_prefix(b"u")).flatten().and_then(|tail| tail.get(..4));
        let unit = digits.and_then(|digits| u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        match unit.and_then(char::from_u32) {
            Some(char) => {
                out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                rest = tail.get(5..).unwrap_or_default();
            }
            None if *byte == b'\\' => {}
            None => out.push(*byte),
        }
    }
    out
}

/// The hash of a name as a whole, in its normal form.
pub(crate) fn hash(name: &[u8]) -> u64 {
    let (mut hash, mut at) = (SEED, 0);
    while let Some((byte, next)) = decode(name, at) {
        let byte = normal(byte);
        if byte != 0 {
            hash = mix(hash, byte);
        }
        at = next;
    }
    hash
}

/// A name in its normal form: percent-decoded, ASCII lower case, without what separates its words. Empty
/// for a name that has neither letter nor digit; `None` for one that is too long.
pub(crate) fn normalise(name: &str) -> Option<Box<[u8]>> {
    let mut at = 0;
    let decoded: Vec<u8> = iter::from_fn(|| {
        let (byte, next) = decode(name.as_bytes(), at)?;
        at = next;
        Some(byte)
    })
    .collect();
    (decoded.len() <= MAX_NAME_BYTES)
        .then(|| decoded.into_iter().map(normal).filter(|byte| *byte != 0).collect())
}

/// A byte in lower case; 0 for what stands between words, which is all of ASCII but letters and digits.
#[inline]
pub(super) fn normal(byte: u8) -> u8 {
    static NORMAL: [u8; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < table.len() {
            let letter = byte as u8;
            if letter >= 0x80 || letter.is_ascii_alphanumeric() {
                table[byte] = letter.to_ascii_lowercase();
            }
            byte += 1;
        }
        table
    };
    NORMAL[usize::from(byte)]
}
