//! Addresses: of people and of devices.

use std::ops::Range;

use super::{begins, ends, run};

/// The longest part before the `@` (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;

/// An e-mail address whose `@` stands here.
pub(super) fn email(text: &[u8], at: usize, floor: usize) -> Option<Range<usize>> {
    let local =
        |byte: &u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(byte) || *byte >= 0x80;
    let head = text.get(floor..at)?;
    let length = head.iter().rev().take(MAX_LOCAL_BYTES).take_while(|byte| local(byte)).count();
    // What joins an address to the text around it.
    let start = at - length;
    let joined = head.get(head.len() - length..)?.iter().rposition(|byte| b"=&?/'`{|}".contains(byte));
    let start = joined.map_or(start, |offset| start + offset + 1);
    let domain = run(text, at + 1, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-') || *byte >= 0x80
    });
    let domain = text.get(at + 1..at + 1 + domain)?;
    let trimmed = domain.len() - domain.iter().rev().take_while(|byte| matches!(byte, b'.' | b'-')).count();
    let domain = domain.get(..trimmed)?;
    let last = domain.iter().rposition(|byte| *byte == b'.')?;
    let top = domain.get(last + 1..)?;
    let named = top.len() >= 2 && !top.iter().any(u8::is_ascii_digit) && last > 0;
    (start < at && named).then_some(start..at + 1 + trimmed)
}

/// A MAC address that begins here.
pub(super) fn mac(text: &[u8], at: usize) -> Option<Range<usize>> {
    let address = text.get(at..at + 17)?;
    let mark = *address.get(2)?;
    let right = |(n, byte): (usize, &u8)| if n % 3 == 2 { *byte == mark } else { byte.is_ascii_hexdigit() };
    let whole = matches!(mark, b':' | b'-') && begins(text, at) && ends(text, at + 17);
    // In a longer row of pairs it is no address.
    let alone = text.get(at + 17) != Some(&mark)
        && at.checked_sub(1).and_then(|before| text.get(before)) != Some(&mark);
    (whole && alone && address.iter().enumerate().all(right)).then_some(at..at + 17)
}
