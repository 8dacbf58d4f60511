//! Percent-encoding, read one byte at a time.

/// The byte that begins at `at`, and where the next one begins.
///
/// An escape is undone however often it was applied (`%77`, `%2577` and `%252577` are all `w`), so
/// that an encoded URL inside a URL cannot hide a name. A broken escape is the `%` it begins with.
#[inline]
pub(crate) fn decode(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    match bytes.get(at) {
        Some(b'%') => Some(escape(bytes, at)),
        Some(&byte) => Some((byte, at + 1)),
        None => None,
    }
}

#[cold]
fn escape(bytes: &[u8], at: usize) -> (u8, usize) {
    let mut digits = at + 1;
    while bytes.get(digits..digits + 2) == Some(b"25") {
        digits += 2;
    }
    match (hex(bytes.get(digits)), hex(bytes.get(digits + 1))) {
        (Some(high), Some(low)) => (high << 4 | low, digits + 2),
        _ => (b'%', digits),
    }
}

fn hex(digit: Option<&u8>) -> Option<u8> {
    match *digit? {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
        digit @ b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    fn all(text: &str) -> Vec<u8> {
        let mut at = 0;
        std::iter::from_fn(|| {
            let (byte, next) = decode(text.as_bytes(), at)?;
            at = next;
            Some(byte)
        })
        .collect()
    }

    #[test]
    fn an_escape_is_undone_however_often_it_was_applied() {
        for encoded in ["pass%77ord", "pass%2577ord", "pass%25252577ord", "%70%61%73%73word"] {
            assert_eq!(all(encoded), b"password", "{encoded}");
        }
    }

    #[test]
    fn a_broken_escape_is_a_percent_sign() {
        assert_eq!(all("%"), b"%");
        assert_eq!(all("a%7"), b"a%7");
        assert_eq!(all("%zz%"), b"%zz%");
        assert_eq!(all("100%25"), b"100%");
        assert_eq!(all("%2525"), b"%");
    }
}
