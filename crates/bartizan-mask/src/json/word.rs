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

/// The word that the text begins with, if it is valid and ends before the text does.
#[inline]
pub(super) fn whole(text: &[u8]) -> Option<&[u8]> {
    let length = length(text)?;
    let next = text.get(length)?;
    if PART[usize::from(*next)] { None } else { text.get(..length) }
}

/// What is here of a word, and whether it ends here.
pub(super) fn split(text: &[u8]) -> (&[u8], bool) {
    let end = text.iter().position(|byte| !PART[usize::from(*byte)]);
    (end.and_then(|end| text.get(..end)).unwrap_or(text), end.is_some())
}

/// Whether this is a number or a literal.
pub(super) fn is_valid(word: &[u8]) -> bool {
    length(word) == Some(word.len())
}

/// The length of the number (RFC 8259, section 6) or the literal that the text begins with.
#[inline]
fn length(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b't' => return text.starts_with(b"true").then_some(4),
        b'f' => return text.starts_with(b"false").then_some(5),
        b'n' => return text.starts_with(b"null").then_some(4),
        _ => {}
    }
    let minus = usize::from(text.first() == Some(&b'-'));
    let mut at = if text.get(minus) == Some(&b'0') { minus + 1 } else { digits(text, minus)? };
    if text.get(at) == Some(&b'.') {
        at = digits(text, at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let sign = matches!(text.get(at + 1), Some(b'+' | b'-'));
        at = digits(text, at + 1 + usize::from(sign))?;
    }
    Some(at)
}

/// Where the digits, one or more, that begin here end.
#[inline]
fn digits(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while text.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    (at > start).then_some(at)
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
