//! Numbers: of cards, devices and people.

use std::ops::Range;

use super::{begins, ends, run};

/// A card number that begins here, in one piece or in groups.
pub(super) fn card(text: &[u8], at: usize) -> Option<Range<usize>> {
    if !begins(text, at) {
        return None;
    }
    let mut digits = [0; 19];
    let (mut length, mut next) = (0, at);
    let mut found = None;
    loop {
        let group = run(text, next, u8::is_ascii_digit);
        for digit in text.get(next..next + group)? {
            let Some(slot) = digits.get_mut(length) else { return found };
            *slot = digit - b'0';
            length += 1;
        }
        next += group;
        if length >= 13 && ends(text, next) && is_luhn(digits.get(..length)?) {
            found = Some(at..next);
        }
        let goes_on = group > 0 && matches!(text.get(next), Some(b' ' | b'-')) && !ends(text, next + 1);
        if !goes_on || length == digits.len() {
            return found;
        }
        next += 1;
    }
}

/// The number of a device that begins here.
pub(super) fn imei(text: &[u8], at: usize) -> Option<Range<usize>> {
    let digits = text.get(at..at + 15)?;
    let whole = begins(text, at) && ends(text, at + 15) && digits.iter().all(u8::is_ascii_digit);
    let mut values = [0; 15];
    values.iter_mut().zip(digits).for_each(|(value, digit)| *value = digit.wrapping_sub(b'0'));
    (whole && is_luhn(&values)).then_some(at..at + 15)
}

/// A social security number that begins here.
pub(super) fn ssn(text: &[u8], at: usize) -> Option<Range<usize>> {
    let number = text.get(at..at + 11)?;
    let form = |(n, byte): (usize, &u8)| if n == 3 || n == 6 { *byte == b'-' } else { byte.is_ascii_digit() };
    let whole = begins(text, at) && ends(text, at + 11) && number.iter().enumerate().all(form);
    let area = number.get(..3)?;
    let used = area != b"000"
        && area != b"666"
        && area.first() != Some(&b'9')
        && number.get(4..6)? != b"00"
        && number.get(7..)? != b"0000";
    (whole && used).then_some(at..at + 11)
}

/// Whether the last digit is the one that makes the sum a multiple of ten, and not all of them are the same.
fn is_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(n, digit)| {
            let digit = u32::from(*digit) * if n % 2 == 1 { 2 } else { 1 };
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| Some(digit) != digits.first())
}
