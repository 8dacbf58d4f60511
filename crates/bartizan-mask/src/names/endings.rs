//! The last letters of sensitive names, by which most other names are told apart.

use super::hash::{Bits, normal};

/// How many last letters are looked at.
const ENDING: usize = 3;

/// How far before a delimiter the last letters of a name are looked for, and how much of a number behind them is skipped; where they
/// are not found, there may be one.
const NEAR: usize = 8;
const NUMBER: usize = 24;

/// The last three letters of every name.
#[derive(Default)]
pub(super) struct Endings {
    known: Bits,
    /// For each last letter, by its last five bits, those that come before it.
    before: [u32; 32],
    /// Whether a name without a known ending may be sensitive after all: there are shorter ones.
    open: bool,
}

impl Endings {
    /// Adds those of a normalised name.
    pub(super) fn add(&mut self, name: &[u8]) {
        match name.last_chunk::<ENDING>() {
            Some(ending) => self.known.insert(spread(ending.iter().rev().copied().fold(0, packed))),
            None => self.open = true,
        }
        if let Some(&[second, last]) = name.last_chunk() {
            self.before[usize::from(last % 32)] |= 1 << (second % 32);
        }
    }

    /// From now on, any name may be sensitive.
    pub(super) fn open(&mut self) {
        self.open = true;
    }

    fn has(&self, ending: u32) -> bool {
        self.open || self.known.contains(spread(ending))
    }

    /// Whether the last letters of this name are those of a rule.
    #[inline]
    pub(super) fn may_match(&self, name: &[u8]) -> bool {
        match letters(name) {
            Some(ending) => self.has(ending),
            None => self.may_match_apart(name),
        }
    }

    /// As [`may_match`](Self::may_match), for a name that has a digit or a separator near its end.
    fn may_match_apart(&self, name: &[u8]) -> bool {
        // A number at the end does not count.
        let is_number = |last| matches!(normal(last), 0 | b'0'..=b'9');
        name.last().is_some_and(|last| is_number(*last))
            || last_ones(name.iter().rev()).map_or(self.open, |ending| self.has(ending))
    }

    /// Whether the last letters of a text may be those of a rule, with a number behind them or without it. The text has no escapes
    /// and no brackets.
    #[inline]
    pub(super) fn may_end(&self, text: &[u8]) -> bool {
        match letters(text) {
            Some(ending) => self.has(ending),
            None => self.open || (!self.differs(text) && self.may_end_apart(text)),
        }
    }

    /// Whether no name ends in the last letter of this text, or in that one and the one next to it.
    #[inline]
    fn differs(&self, text: &[u8]) -> bool {
        let Some(&[second, last]) = text.last_chunk() else { return false };
        let before = self.before[usize::from(last % 32)];
        let no_pair = || second.is_ascii_alphabetic() && before >> (second % 32) & 1 == 0;
        last.is_ascii_alphabetic() && (before == 0 || no_pair())
    }

    #[inline(never)]
    fn may_end_apart(&self, text: &[u8]) -> bool {
        let is_number = |byte: &&u8| normal(**byte) <= b'9';
        let number = text.iter().rev().take(NUMBER).take_while(is_number).count();
        let named = text.get(..text.len() - number).unwrap_or_default();
        number == NUMBER || self.may_be_last(text) || (number > 0 && self.may_be_last(named))
    }

    /// Whether the last letters and digits of a text may be those of a rule, whatever stands between and behind them.
    fn may_be_last(&self, text: &[u8]) -> bool {
        last_ones(text.iter().rev().take(NEAR)).map_or(text.len() > NEAR, |ending| self.has(ending))
    }
}

/// The last three bytes in lower case, packed, if they are letters.
#[inline]
fn letters(name: &[u8]) -> Option<u32> {
    let [third, second, last] = *name.last_chunk::<ENDING>()?;
    let lower = u32::from_le_bytes([third, second, last, 0]) | 0x20_2020;
    // In each byte the highest bit: from `a` on, not behind `z`, in ASCII.
    let letters = (lower + 0x1F_1F1F) & !(lower + 0x05_0505) & !lower & 0x80_8080;
    (letters == 0x80_8080).then_some(lower)
}

/// The last three letters and digits, packed, whatever stands between and behind them; `None` where there are fewer.
fn last_ones<'b>(from_the_end: impl Iterator<Item = &'b u8>) -> Option<u32> {
    let (mut letters, mut ending) = (0, 0);
    for byte in from_the_end.map(|byte| normal(*byte)).filter(|byte| *byte != 0) {
        (letters, ending) = (letters + 1, packed(ending, byte));
        if letters == ENDING {
            return Some(ending);
        }
    }
    None
}

/// The letters so far and the one before them, as one number.
#[inline]
fn packed(letters: u32, letter: u8) -> u32 {
    letters << 8 | u32::from(letter)
}

/// Spreads a number over all bits of a hash.
#[inline]
fn spread(number: u32) -> u64 {
    u64::from(number).wrapping_mul(super::hash::FACTOR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::normalise;

    #[test]
    fn three_letters_in_ascii_are_packed_as_one_by_one() {
        let bytes: Vec<u8> = (0..=u8::MAX).collect();
        for third in &bytes {
            for second in &bytes {
                for last in [
                    b'@', b'A', b'Z', b'[', b'_', b'`', b'a', b'z', b'{', b'-', b'0', 0x7F, 0x80, 0xC1, 0xE1,
                    0xFF,
                ] {
                    let ending = [*third, *second, last];
                    let expected = ending.iter().all(u8::is_ascii_alphabetic);
                    let packed = ending.iter().rev().map(|byte| normal(*byte)).fold(0, packed);
                    assert_eq!(letters(&ending), expected.then_some(packed), "{ending:?}");
                }
            }
        }
        assert_eq!(letters(b"ab"), None);
    }

    #[test]
    fn no_name_of_a_rule_is_taken_for_another() {
        let names = ["password", "pin", "api_key", "x5y", "cl\u{e9}", "rvx"];
        let mut endings = Endings::default();
        names.iter().filter_map(|name| normalise(name)).for_each(|name| endings.add(&name));
        assert!(!endings.open);
        for name in names {
            let spaced: Vec<String> = name.chars().map(String::from).collect();
            for name in [name.to_owned(), name.to_ascii_uppercase(), spaced.join("-"), spaced.join(" _")] {
                for head in ["", "x", "a, ", "1_"] {
                    for number in ["", "2", " 17", "-00", "  "] {
                        let text = format!("{head}{name}{number}");
                        assert!(endings.may_end(text.as_bytes()), "{text}");
                        assert!(endings.may_match(text.as_bytes()), "{text}");
                    }
                }
            }
        }
        for text in ["x; rv", "Mozilla", "q", "en;q", "page", "a"] {
            assert!(!endings.may_end(text.as_bytes()), "{text}");
        }
    }
}
