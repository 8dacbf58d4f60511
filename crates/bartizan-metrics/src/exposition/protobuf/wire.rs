//! Protobuf's wire format, as much of it as a page needs.

/// A number without a sign.
pub(super) fn uint(out: &mut Vec<u8>, field: u32, value: u64) {
    varint(out, tag(field, 0));
    varint(out, value);
}

/// A number with a sign, in zigzag.
pub(super) fn sint(out: &mut Vec<u8>, field: u32, value: i64) {
    uint(out, field, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

pub(super) fn double(out: &mut Vec<u8>, field: u32, value: f64) {
    varint(out, tag(field, 1));
    out.extend_from_slice(&value.to_le_bytes());
}

pub(super) fn text(out: &mut Vec<u8>, field: u32, value: &str) {
    varint(out, tag(field, 2));
    varint(out, value.len() as u64);
    out.extend_from_slice(value.as_bytes());
}

/// A message inside a message.
pub(super) fn message(out: &mut Vec<u8>, field: u32, body: impl FnOnce(&mut Vec<u8>)) {
    varint(out, tag(field, 2));
    delimited(out, body);
}

/// A message after its length, which is known when the message is written.
pub(super) fn delimited(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.push(0);
    body(out);
    let end = out.len();
    varint(out, (end - start - 1) as u64);
    // The length was written last and goes first. Most lengths are one byte, which has its place.
    let more = out.len() - end - 1;
    let last = out.pop().unwrap_or_default();
    if let Some([place, ..]) = out.get_mut(start..) {
        *place = last;
    }
    if more > 0
        && let Some(whole) = out.get_mut(start..)
    {
        whole.rotate_right(more);
    }
}

const fn tag(field: u32, wire_type: u32) -> u64 {
    (field << 3 | wire_type) as u64
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_specification_shows() {
        let mut out = Vec::new();
        uint(&mut out, 1, 150);
        assert_eq!(out, [0x08, 0x96, 0x01]);
        out.clear();
        sint(&mut out, 1, -1);
        sint(&mut out, 1, 1);
        sint(&mut out, 16, i64::MIN);
        assert_eq!(out, [8, 1, 8, 2, 0x80, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
        out.clear();
        text(&mut out, 2, "testing");
        assert_eq!(out, b"\x12\x07testing");
    }

    #[test]
    fn a_message_of_any_length_follows_its_length() {
        for len in [0, 1, 126, 127, 128, 300, 20_000] {
            let mut out = vec![9];
            message(&mut out, 3, |out| out.resize(out.len() + len, 7));
            let mut expected = vec![9, 0x1a];
            varint(&mut expected, len as u64);
            expected.resize(expected.len() + len, 7);
            assert_eq!(out, expected, "{len}");
        }
    }
}
