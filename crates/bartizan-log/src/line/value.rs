//! Values as JSON. Each function says whether the value was written whole.

use bartizan_core::Value;

use super::escape::{is_plain, push_escaped};

/// What stands where a value was cut.
pub(crate) const CUT: &str = "...[cut]";

/// Appends a string. Where its inside would grow `out` beyond `limit` bytes it is cut and marked.
#[inline]
pub(crate) fn push_str(out: &mut Vec<u8>, text: &str, limit: usize) -> bool {
    if out.len() + 1 + text.len() <= limit && is_plain(text.as_bytes()) {
        return push_word(out, text);
    }
    push_escaped_str(out, text, limit)
}

#[inline(never)]
fn push_escaped_str(out: &mut Vec<u8>, text: &str, limit: usize) -> bool {
    out.push(b'"');
    let whole = push_escaped(out, text, limit);
    if !whole {
        out.extend_from_slice(CUT.as_bytes());
    }
    out.push(b'"');
    whole
}

/// Appends the beginning of a string, marked as that.
pub(crate) fn push_cut(out: &mut Vec<u8>, beginning: &str, limit: usize) {
    out.push(b'"');
    push_escaped(out, beginning, limit);
    out.extend_from_slice(CUT.as_bytes());
    out.push(b'"');
}

/// Appends a string of our own, without anything to escape.
#[inline]
pub(crate) fn push_word(out: &mut Vec<u8>, word: &str) -> bool {
    out.reserve(word.len() + 2);
    out.push(b'"');
    out.extend_from_slice(word.as_bytes());
    out.push(b'"');
    true
}

/// Appends what is JSON already, or the mark of a cut where it does not fit.
pub(crate) fn push_json(out: &mut Vec<u8>, json: &[u8], limit: usize) -> bool {
    if out.len() + json.len() > limit {
        return push_str(out, CUT, 0);
    }
    out.extend_from_slice(json);
    true
}

pub(crate) fn push_integer(out: &mut Vec<u8>, number: impl itoa::Integer) -> bool {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    true
}

/// Appends an integer beyond 64 bits as a string of digits, because JSON readers would round the number.
pub(crate) fn push_wide(out: &mut Vec<u8>, number: impl itoa::Integer) -> bool {
    out.push(b'"');
    push_integer(out, number);
    out.push(b'"');
    true
}

/// Appends a number; `null` for what is not finite.
pub(crate) fn push_f64(out: &mut Vec<u8>, number: f64) -> bool {
    if !number.is_finite() {
        out.extend_from_slice(b"null");
    } else if !push_few_decimals(out, number) {
        out.extend_from_slice(ryu::Buffer::new().format_finite(number).as_bytes());
    }
    true
}

/// Most numbers in logs are durations and ratios of a few decimals: those need no search for their shortest digits.
#[expect(clippy::cast_sign_loss, reason = "it is checked not to be negative")]
fn push_few_decimals(out: &mut Vec<u8>, number: f64) -> bool {
    let thousandths = (number * 1000.0).round();
    let exact = (thousandths / 1000.0).to_bits() == number.to_bits() && number.is_sign_positive();
    let Some(digits) = Thousandths::of(thousandths as u64).filter(|_| exact) else { return false };
    out.extend_from_slice(digits.as_bytes());
    true
}

/// The digits of a number of so many thousandths, written as a float is.
pub(crate) struct Thousandths {
    text: [u8; 16],
    start: usize,
    end: usize,
}

impl Thousandths {
    /// `None` for a number whose digits a float has not.
    pub(crate) fn of(number: u64) -> Option<Self> {
        if number >= 1_000_000_000_000_000 {
            return None;
        }
        let (mut rest, decimals) = (number / 1000, (number % 1000) as u16);
        let digit = |n: u16| b'0' + (n % 10) as u8;
        let mut text = [b'.'; 16];
        let (whole, end) = text.split_at_mut(12);
        end.copy_from_slice(&[b'.', digit(decimals / 100), digit(decimals / 10), digit(decimals)]);
        let mut start = whole.len();
        for byte in whole.iter_mut().rev() {
            *byte = b'0' + (rest % 10) as u8;
            rest /= 10;
            start -= 1;
            if rest == 0 {
                break;
            }
        }
        let zeroes = usize::from(decimals.is_multiple_of(10)) + usize::from(decimals.is_multiple_of(100));
        Some(Self { text, start, end: text.len() - zeroes })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.get(self.start..self.end).unwrap_or_default()
    }
}

pub(crate) fn push_bool(out: &mut Vec<u8>, value: bool) -> bool {
    out.extend_from_slice(if value { b"true" } else { b"false" });
    true
}

/// Appends a bound value, its text as `show` lets it be shown.
pub(crate) fn push_bound(
    out: &mut Vec<u8>,
    value: &Value,
    limit: usize,
    show: impl FnOnce(&mut Vec<u8>, &str, usize) -> bool,
) -> bool {
    match value {
        Value::Bool(value) => push_bool(out, *value),
        Value::I64(number) => push_integer(out, *number),
        Value::U64(number) => push_integer(out, *number),
        Value::F64(number) => push_f64(out, *number),
        Value::Str(text) => show(out, text, limit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(push: impl FnOnce(&mut Vec<u8>) -> bool) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_valid_json_whatever_they_are() {
        for (number, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.001, "0.001"),
            (1.05, "1.05"),
            (2000.0, "2000.0"),
            (-12.345, "-12.345"),
            (1e300, "1e300"),
            (f64::NAN, "null"),
            (f64::INFINITY, "null"),
            (f64::NEG_INFINITY, "null"),
        ] {
            let json = written(|out| push_f64(out, number));
            assert_eq!(json, expected);
            serde_json::from_str::<serde_json::Value>(&json).unwrap();
        }
        assert_eq!(written(|out| push_integer(out, i64::MIN)), "-9223372036854775808");
        assert_eq!(written(|out| push_wide(out, u128::MAX)), "\"340282366920938463463374607431768211455\"");
    }

    proptest::proptest! {
        #[test]
        fn any_number_is_read_back_as_it_was(number: f64, thousandths: u32) {
            for number in [number, f64::from(thousandths) / 1000.0, f64::from(thousandths)] {
                let json = written(|out| push_f64(out, number));
                proptest::prop_assert_eq!(json.parse::<f64>().unwrap().to_bits(), number.to_bits());
                let mut shortest = ryu::Buffer::new();
                proptest::prop_assert_eq!(json, shortest.format_finite(number));
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_marked_and_stays_valid() {
        assert_eq!(written(|out| push_str(out, "abcdef", 4)), "\"abc...[cut]\"");
        assert_eq!(written(|out| push_str(out, "\n\n", 4)), "\"\\n...[cut]\"");
        assert_eq!(written(|out| push_json(out, b"{\"a\":1}", 4)), "\"...[cut]\"");
    }
}
