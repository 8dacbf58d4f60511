//! A quick look at a text: where the bytes are that may have to do with something to hide. Most of what is looked at has none.

/// `=` and `:`, which end a name, and the `%` of an escape that may stand for them. Without any of these there is neither a name nor
/// a URL in front of a value.
pub(crate) const PAIR: u8 = 1;
/// `@`, which ends the user info of a URL.
pub(crate) const AT: u8 = 1 << 1;
/// `[`, `\` and `]`.
pub(crate) const BRACKET: u8 = 1 << 2;
/// `"`.
pub(crate) const QUOTE: u8 = 1 << 3;
/// What comes before the blank.
pub(crate) const CONTROL: u8 = 1 << 4;
/// What comes behind the `~`: all that is not ASCII, and DEL.
pub(crate) const WIDE: u8 = 1 << 5;
/// The first letter of what may be `Bearer` or `Basic`, in letters of any case. Its first three tell.
pub(crate) const SCHEME: u8 = 1 << 6;

/// What is not printable ASCII.
pub(crate) const RAW: u8 = CONTROL | WIDE;

/// How many bytes are looked at together.
const LANES: usize = 16;

/// With the two bytes behind them.
const WINDOW: usize = LANES + 2;

/// Whether all of these marks pass, which are asked from left to right until one does not.
#[inline]
pub(crate) fn all<const MARKS: u8>(text: &[u8], mut passes: impl FnMut(usize) -> bool) -> bool {
    let (mut at, mut rest) = (0, text);
    while let Some(window) = rest.first_chunk() {
        let mut lanes = lanes::<MARKS>(window);
        while lanes != 0 {
            let bit = lanes.trailing_zeros();
            if !passes(at + bit as usize / 8) {
                return false;
            }
            lanes &= !(u128::from(u8::MAX) << bit);
        }
        at += LANES;
        rest = rest.get(LANES..).unwrap_or_default();
    }
    singly::<MARKS>(text, at, passes)
}

/// As [`all`], from `at` on, byte by byte.
#[inline]
fn singly<const MARKS: u8>(text: &[u8], mut at: usize, mut passes: impl FnMut(usize) -> bool) -> bool {
    while let Some(byte) = text.get(at) {
        let mark = marks(*byte) & MARKS;
        if mark != 0 && (mark != SCHEME || begins_scheme(text, at)) && !passes(at) {
            return false;
        }
        at += 1;
    }
    true
}

/// Where the first of these marks stands.
#[inline]
pub(crate) fn first<const MARKS: u8>(text: &[u8]) -> Option<usize> {
    let mut first = None;
    all::<MARKS>(text, |at| {
        first = Some(at);
        false
    });
    first
}

/// Whether one of these marks is there.
#[inline]
pub(crate) fn any<const MARKS: u8>(text: &[u8]) -> bool {
    let (mut at, mut rest) = (0, text);
    while let Some(window) = rest.first_chunk() {
        if has::<MARKS>(window) {
            return true;
        }
        at += LANES;
        rest = rest.get(LANES..).unwrap_or_default();
    }
    !singly::<MARKS>(text, at, |_| false)
}

/// The marks that this byte may be.
#[inline]
pub(crate) fn marks(byte: u8) -> u8 {
    TABLE[usize::from(byte)]
}

/// Whether one of the first [`LANES`] bytes is a mark. Written, as [`lanes`], so that the compiler makes vector instructions of it.
#[inline]
fn has<const MARKS: u8>(window: &[u8; WINDOW]) -> bool {
    let behind = window.iter().skip(1).zip(window.iter().skip(2));
    let marks =
        window.iter().zip(behind).map(|(&byte, (&second, &third))| is_mark::<MARKS>(byte, second, third));
    marks.fold(false, |any, mark| any | mark)
}

/// All bits of each byte that is a mark, the first one lowest.
#[inline]
fn lanes<const MARKS: u8>(window: &[u8; WINDOW]) -> u128 {
    let mut lanes = [0; LANES];
    let behind = window.iter().skip(1).zip(window.iter().skip(2));
    for ((lane, &byte), (&second, &third)) in lanes.iter_mut().zip(window).zip(behind) {
        *lane = if is_mark::<MARKS>(byte, second, third) { u8::MAX } else { 0 };
    }
    u128::from_le_bytes(lanes)
}

/// Whether the first of these bytes is a mark.
#[inline]
fn is_mark<const MARKS: u8>(byte: u8, second: u8, third: u8) -> bool {
    is_one::<MARKS>(byte) | ((MARKS & SCHEME != 0) & is_scheme(byte, second, third))
}

/// Whether this byte alone is one of the marks.
#[inline]
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
const fn is_one<const MARKS: u8>(byte: u8) -> bool {
    let raw = match MARKS & RAW {
        // One comparison.
        RAW => byte.wrapping_add(1).cast_signed() < b'!'.cast_signed(),
        CONTROL => byte < b' ',
        WIDE => byte > b'~',
        _ => false,
    };
    raw | ((MARKS & PAIR != 0) & ((byte == b'=') | (byte == b':') | (byte == b'%')))
        | ((MARKS & AT != 0) & (byte == b'@'))
        | ((MARKS & BRACKET != 0) & (byte.wrapping_sub(b'[') <= b']' - b'['))
        | ((MARKS & QUOTE != 0) & (byte == b'"'))
}

/// Whether `Bearer` or `Basic` may begin with these three.
#[inline]
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
fn is_scheme(first: u8, second: u8, third: u8) -> bool {
    // `a` and `e`, and then `a` and `s`, are one byte but for some bits.
    (first | 0x20 == b'b') & (second | 0x24 == b'e') & (third | 0x32 == b's')
}

#[cold]
#[inline(never)]
fn begins_scheme(text: &[u8], at: usize) -> bool {
    matches!(text.get(at..), Some([first, second, third, ..]) if is_scheme(*first, *second, *third))
}

/// The marks that each byte may be.
static TABLE: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < table.len() {
        let byte = at as u8;
        table[at] = (is_one::<PAIR>(byte) as u8 * PAIR)
            | (is_one::<AT>(byte) as u8 * AT)
            | (is_one::<BRACKET>(byte) as u8 * BRACKET)
            | (is_one::<QUOTE>(byte) as u8 * QUOTE)
            | (is_one::<CONTROL>(byte) as u8 * CONTROL)
            | (is_one::<WIDE>(byte) as u8 * WIDE)
            | (matches!(byte, b'b' | b'B') as u8 * SCHEME);
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_seen<const MARKS: u8>(is_mark: impl Fn(u8) -> bool) {
        for length in 0..4 * LANES {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'e'; length];
                    text[at] = byte;
                    // `bee` is none.
                    let expected = is_mark(byte).then_some(at);
                    assert_eq!(first::<MARKS>(&text), expected, "{byte:#x} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn a_mark_is_seen_wherever_it_stands() {
        assert_seen::<PAIR>(|byte| b"=:%".contains(&byte));
        assert_seen::<BRACKET>(|byte| b"[\\]".contains(&byte));
        assert_seen::<AT>(|byte| byte == b'@');
        assert_seen::<QUOTE>(|byte| byte == b'"');
        assert_seen::<CONTROL>(|byte| byte < b' ');
        assert_seen::<WIDE>(|byte| byte > b'~');
        assert_seen::<RAW>(|byte| !matches!(byte, b' '..=b'~'));
        assert_seen::<SCHEME>(|_| false);
        assert_seen::<{ u8::MAX }>(|byte| !matches!(byte, b' '..=b'~') || b"=:%[\\]@\"".contains(&byte));
    }

    #[test]
    fn all_marks_are_asked_in_order_until_one_does_not_pass() {
        for length in 0..3 * LANES {
            for step in 1..=length {
                let text: Vec<u8> = (0..length).map(|n| if n % step == 0 { b':' } else { b'e' }).collect();
                let mut asked = Vec::new();
                assert!(all::<PAIR>(&text, |at| {
                    asked.push(at);
                    true
                }));
                assert_eq!(asked, (0..length).step_by(step).collect::<Vec<_>>());
                let last = asked.pop();
                assert!(!all::<PAIR>(&text, |at| Some(at) != last));
                assert_eq!(first::<PAIR>(&text), Some(0));
            }
        }
    }

    #[test]
    fn the_name_of_a_scheme_is_seen_wherever_it_stands() {
        for length in 6..4 * LANES {
            for at in 0..=length - 6 {
                for scheme in ["bearer", "Bearer", "BEARER", "bEaReR", "basic ", "Basic ", "BASIC ", "bAsIc "]
                {
                    let mut text = vec![b'x'; length];
                    text[at..at + 6].copy_from_slice(scheme.as_bytes());
                    assert_eq!(first::<SCHEME>(&text), Some(at), "{scheme}");
                    assert!(!any::<{ !SCHEME }>(&text));
                }
            }
        }
        let text = "the number of books between two boxes is about seven ";
        assert!(!any::<{ u8::MAX }>(text.repeat(2).as_bytes()));
    }
}
