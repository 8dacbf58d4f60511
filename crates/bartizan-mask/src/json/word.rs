//! Numbers and literals.

/// Whether a number or a literal may begin with this byte.
pub(super) fn begins(byte: u8) -> bool {
    matches!(byte, b'-' | b'0'..=b'9' | b't' | b'f' | b'n')
}

/// The bytes that may belong to a word. More than may stand there, so that what is wrong makes the word invalid.
static PART: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        let part = byte as u8;
        table[byte] = part.is_ascii_alphanumeric() || matches!(part, b'-' | b'+' | b'.');
        byte += 1;
    }
    table
};

/// What is here of a word, and whether it ends here.
#[inline]
pub(super) fn split(text: &[u8]) -> (&[u8], bool) {
    let end = text.iter().position(|byte| !PART[usize::from(*byte)]);
    (end.and_then(|end| text.get(..end)).unwrap_or(text), end.is_some())
}

/// Whether this is a number as in RFC 8259, section 6, or one of the three literals.
pub(super) fn is_valid(word: &[u8]) -> bool {
    matches!(word, b"true" | b"false" | b"null") || is_number(word).is_some()
}

fn is_number(word: &[u8]) -> Option<()> {
    let word = word.strip_prefix(b"-").unwrap_or(word);
    let mut rest = match word {
        [b'0', rest @ ..] => rest,
        _ => digits(word)?,
    };
    if let [b'.', fraction @ ..] = rest {
        rest = digits(fraction)?;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', exponent @ ..] => exponent,
            _ => exponent,
        };
        rest = digits(exponent)?;
    }
    rest.is_empty().then_some(())
}

/// What follows one or more digits.
fn digits(word: &[u8]) -> Option<&[u8]> {
    let end = word.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(word.len());
    if end == 0 { None } else { word.get(end..) }
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn numbers_are_those_of_the_grammar() {
        for word in ["0", "-0", "7", "-12", "1.5", "0.25", "1e9", "1E+9", "-1.5e-09", "true", "false", "null"]
        {
            assert!(is_valid(word.as_bytes()), "{word}");
        }
        for word in [
            "", "-", "01", "1.", ".5", "+1", "1e", "1e+", "0x1", "1.5.2", "--1", "1-", "nul", "True", "NaN",
            "nulll",
        ] {
            assert!(!is_valid(word.as_bytes()), "{word}");
        }
    }
}
