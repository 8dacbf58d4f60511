//! International bank account numbers.

use std::ops::Range;

use super::{begins, ends};

/// The countries of the register (ISO 13616) and how long their numbers are.
const LENGTHS: &[u8] = b"AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18\
    FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19\
    MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26\
    UA29VA22VG24XK20YE30";

/// A number that begins here, in one piece or in groups.
pub(super) fn find(text: &[u8], at: usize) -> Option<Range<usize>> {
    let [a, b, c, d] = *text.get(at..)?.first_chunk()?;
    if !(begins(text, at) && b.is_ascii_alphabetic() && c.is_ascii_digit() && d.is_ascii_digit()) {
        return None;
    }
    let country = [a.to_ascii_uppercase(), b.to_ascii_uppercase()];
    let (entries, _) = LENGTHS.as_chunks::<4>();
    let entry = entries.iter().find(|[a, b, ..]| [*a, *b] == country)?;
    let length = usize::from(entry[2] - b'0') * 10 + usize::from(entry[3] - b'0');
    let mut number = [0; 33];
    let number = number.get_mut(..length)?;
    let mut next = at;
    for (n, slot) in number.iter_mut().enumerate() {
        if n > 0 && matches!(text.get(next), Some(b' ' | b'-')) {
            next += 1;
        }
        *slot = text.get(next).copied().filter(u8::is_ascii_alphanumeric)?;
        next += 1;
    }
    let moved = number.iter().skip(4).chain(number.iter().take(4));
    let rest = moved.fold(0, |rest, byte| {
        let value = u32::from(char::from(*byte).to_digit(36).unwrap_or_default() as u8);
        (if value > 9 { rest * 100 } else { rest * 10 } + value) % 97
    });
    (rest == 1 && ends(text, next)).then_some(at..next)
}
