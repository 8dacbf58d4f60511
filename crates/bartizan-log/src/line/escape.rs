//! Text as the inside of a JSON string.
//!
//! Escaped are what JSON demands, and what a terminal or a line splitter would take for more than text: all control
//! characters (DEL and U+0080 to U+009F too), the Unicode line and paragraph separators, and the bidirectional overrides.

/// Appends `text`, escaped, as long as `out` does not grow beyond `limit` bytes. Says whether all of it fitted.
pub(crate) fn push_escaped(out: &mut Vec<u8>, text: &str, limit: usize) -> bool {
    if is_plain(text.as_bytes()) && out.len() + text.len() <= limit {
        out.extend_from_slice(text.as_bytes());
        return true;
    }
    push_with_escapes(out, text, limit)
}

/// Whether the text, escaped, has at most `limit` bytes.
pub(crate) fn fits_escaped(text: &str, limit: usize) -> bool {
    // Nothing grows more than sixfold.
    text.len() <= limit / 6 || push_escaped(&mut Vec::with_capacity(limit), text, limit)
}

fn push_with_escapes(out: &mut Vec<u8>, text: &str, limit: usize) -> bool {
    let mut rest = text;
    loop {
        let plain = next_special(rest.as_bytes());
        let (run, tail) = rest.split_at_checked(plain).unwrap_or((rest, ""));
        if !push_run(out, run, limit) {
            return false;
        }
        let mut chars = tail.chars();
        let Some(special) = chars.next() else { return true };
        if !push_char(out, special, limit) {
            return false;
        }
        rest = chars.as_str();
    }
}

fn push_run(out: &mut Vec<u8>, run: &str, limit: usize) -> bool {
    let room = limit.saturating_sub(out.len());
    let fits = run.len() <= room;
    let kept = if fits { run.len() } else { run.floor_char_boundary(room) };
    out.extend_from_slice(run.as_bytes().get(..kept).unwrap_or_default());
    fits
}

fn push_char(out: &mut Vec<u8>, special: char, limit: usize) -> bool {
    let short = match special {
        '"' => b'"',
        '\\' => b'\\',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        _ if is_control(special) => return push_unicode(out, u32::from(special), limit),
        // An ordinary character that only begins like a special one.
        _ => return push_run(out, special.encode_utf8(&mut [0; 4]), limit),
    };
    let fits = out.len() + 2 <= limit;
    if fits {
        out.extend_from_slice(&[b'\\', short]);
    }
    fits
}

/// All of these are below U+10000.
fn push_unicode(out: &mut Vec<u8>, code: u32, limit: usize) -> bool {
    let fits = out.len() + 6 <= limit;
    if fits {
        let digit =
            |shift: u32| b"0123456789abcdef".get((code >> shift & 15) as usize).copied().unwrap_or(b'0');
        out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
    }
    fits
}

fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Where the first byte stands that may begin a character to escape; the length if there is none.
fn next_special(bytes: &[u8]) -> usize {
    let (words, _) = bytes.as_chunks::<8>();
    let plain = 8 * words.iter().take_while(|word| is_plain_word(u64::from_ne_bytes(**word))).count();
    let rest = bytes.get(plain..).unwrap_or_default();
    plain + rest.iter().position(|byte| is_special(*byte)).unwrap_or(rest.len())
}

/// The first bytes of U+0080 to U+00BF and of U+2000 to U+2FFF count, because of those that [`is_control`] names.
fn is_special(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | b'"' | b'\\' | 0x7f | 0xc2 | 0xe2)
}

/// Whether all of this is printable ASCII without `"` and `\`, as most text is.
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    // Blocks and words overlap at the end.
    if let Some(end) = bytes.last_chunk() {
        return bytes.as_chunks().0.iter().all(is_plain_block) && is_plain_block(end);
    }
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            is_plain_word(u64::from_ne_bytes(*first)) && is_plain_word(u64::from_ne_bytes(*last))
        }
        _ => is_plain_word(
            bytes.iter().fold(u64::from_ne_bytes(*b"        "), |word, byte| word << 8 | u64::from(*byte)),
        ),
    }
}

/// Without branches, so that the compiler makes vector instructions of it.
#[inline]
fn is_plain_block(block: &[u8; 16]) -> bool {
    let special = |byte: u8| {
        u8::from(byte.wrapping_sub(b' ') > b'~' - b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\')
    };
    block.iter().fold(0, |found, byte| found | special(*byte)) == 0
}

fn is_plain_word(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x80 * ONES;
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(0x20 * ONES) & !word;
    let del_or_high = word.wrapping_add(ONES) | word;
    let quote = has_zero(word ^ (0x22 * ONES));
    let backslash = has_zero(word ^ (0x5c * ONES));
    (control | del_or_high | quote | backslash) & HIGHS == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        assert!(push_escaped(&mut out, text, usize::MAX));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_would_break_a_line_or_colour_a_terminal_is_escaped() {
        let table = [
            ("plain text", "plain text"),
            ("say \"hi\" \\ bye", r#"say \"hi\" \\ bye"#),
            ("a\nb\r\tc\0", r"a\nb\r\tc\u0000"),
            ("\u{1b}[31mred", r"\u001b[31mred"),
            ("\u{7f}\u{9b}2J\u{85}", r"\u007f\u009b2J\u0085"),
            ("a\u{2028}b\u{202e}c\u{2066}", r"a\u2028b\u202ec\u2066"),
            ("â‚¬ € £ ä 漢字 🦀", "â‚¬ € £ ä 漢字 🦀"),
        ];
        for (text, expected) in table {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn eight_bytes_at_a_time_find_what_one_at_a_time_finds() {
        for byte in 0..=255_u8 {
            for place in 0..20 {
                let plain = (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
                for length in place + 1..24 {
                    let mut bytes = b"abcdefghijklmnopqrstuvwx"[..length].to_vec();
                    bytes[place] = byte;
                    assert_eq!(is_plain(&bytes), plain, "{byte:#x} at {place} of {length}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_as_it_was(text in any::<String>()) {
            let json = format!("\"{}\"", escaped(&text));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            prop_assert!(!json.chars().any(is_control));
        }

        #[test]
        fn a_cut_text_keeps_to_its_limit_and_is_a_beginning(text in any::<String>(), limit in 0_usize..40) {
            let mut out = Vec::new();
            let all = push_escaped(&mut out, &text, limit);
            prop_assert!(out.len() <= limit);
            let kept: String = serde_json::from_str(&format!("\"{}\"", String::from_utf8(out).unwrap())).unwrap();
            prop_assert!(text.starts_with(&kept));
            prop_assert_eq!(all, kept == text);
        }
    }
}
