//! How a line looks to a person. Values come as JSON, so that nothing in them can move a cursor or begin a line.

use tracing::Level;

pub(super) const DIM: &[u8] = b"\x1b[2m";

/// Writes in a colour, where colours are wanted.
pub(super) fn paint(out: &mut Vec<u8>, colours: bool, colour: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
    begin_paint(out, colours, colour);
    write(out);
    end_paint(out, colours);
}

pub(super) fn begin_paint(out: &mut Vec<u8>, colours: bool, colour: &[u8]) {
    out.extend_from_slice(if colours { colour } else { b"" });
}

pub(super) fn end_paint(out: &mut Vec<u8>, colours: bool) {
    out.extend_from_slice(if colours { b"\x1b[0m" } else { b"" });
}

/// A level's name, five characters wide, and its colour.
pub(super) fn level(level: Level) -> (&'static [u8], &'static [u8]) {
    match level {
        Level::ERROR => (b"ERROR", b"\x1b[31m"),
        Level::WARN => (b" WARN", b"\x1b[33m"),
        Level::INFO => (b" INFO", b"\x1b[32m"),
        Level::DEBUG => (b"DEBUG", b"\x1b[34m"),
        Level::TRACE => (b"TRACE", b"\x1b[35m"),
    }
}

/// Writes a string without its quotation marks and those inside it without their backslash; other values as they are.
pub(super) fn push_bare(out: &mut Vec<u8>, json: &[u8]) {
    let Some(inside) = inside(json) else { return out.extend_from_slice(json) };
    let mut escaped = false;
    for byte in inside {
        if escaped && *byte == b'"' {
            out.pop();
        }
        out.push(*byte);
        escaped = *byte == b'\\' && !escaped;
    }
}

/// Writes a string without its quotation marks if it is one word; other values as they are.
pub(super) fn push_word(out: &mut Vec<u8>, json: &[u8]) {
    let is_word = |inside: &[u8]| {
        !inside.is_empty() && !inside.iter().any(|byte| matches!(byte, b' ' | b'=' | b'"' | b'\\'))
    };
    out.extend_from_slice(inside(json).filter(|inside| is_word(inside)).unwrap_or(json));
}

/// Writes a string of several lines below the line that it belongs to, each of them indented.
pub(super) fn push_block(out: &mut Vec<u8>, json: &[u8]) {
    const INDENT: &[u8] = b"    ";
    let mut bytes = inside(json).unwrap_or(json).iter();
    out.extend_from_slice(INDENT);
    while let Some(byte) = bytes.next() {
        match (byte, bytes.as_slice().first()) {
            (b'\\', Some(b'n')) => {
                bytes.next();
                out.push(b'\n');
                out.extend_from_slice(INDENT);
            }
            (b'\\', Some(next)) => {
                bytes.next();
                out.extend_from_slice(&[b'\\', *next]);
            }
            _ => out.push(*byte),
        }
    }
    out.push(b'\n');
}

fn inside(json: &[u8]) -> Option<&[u8]> {
    json.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(push: fn(&mut Vec<u8>, &[u8]), json: &str) -> String {
        let mut out = Vec::new();
        push(&mut out, json.as_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_word_needs_no_quotation_marks_and_anything_else_keeps_them() {
        for (json, expected) in [
            ("\"word\"", "word"),
            ("\"two words\"", "\"two words\""),
            ("\"a=b\"", "\"a=b\""),
            ("\"\"", "\"\""),
            (r#""\u001b[31m""#, r#""\u001b[31m""#),
            ("12.5", "12.5"),
        ] {
            assert_eq!(written(push_word, json), expected);
        }
    }

    #[test]
    fn a_message_keeps_its_escapes_but_for_quotation_marks() {
        assert_eq!(written(push_bare, r#""say \"hi\"\n\\\"x\\""#), r#"say "hi"\n\\"x\\"#);
    }

    #[test]
    fn every_line_of_a_block_is_indented() {
        assert_eq!(written(push_block, r#""a\nb\\nc\n  d""#), "    a\n    b\\\\nc\n      d\n");
    }
}
