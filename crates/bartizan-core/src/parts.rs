//! The bytes of a buffer that has not been read yet.

use std::io::IoSlice;

use bytes::Buf;

/// More parts than this in one chunk are not looked at.
const PARTS: usize = 16;

/// Shows the bytes in order without taking any of them. False, and nothing shown, where they cannot all be seen.
pub(crate) fn look<D: Buf>(data: &D, mut show: impl FnMut(&[u8])) -> bool {
    let whole = data.chunk();
    if whole.len() == data.remaining() {
        show(whole);
        return true;
    }
    let mut parts = [IoSlice::new(&[]); PARTS];
    let count = data.chunks_vectored(&mut parts);
    let parts = parts.get(..count).unwrap_or_default();
    let all = parts.iter().map(|part| part.len()).sum::<usize>() == data.remaining();
    if all {
        for part in parts {
            show(part);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows its first half only.
    struct Half(&'static [u8]);

    impl Buf for Half {
        fn remaining(&self) -> usize {
            self.0.len()
        }

        fn chunk(&self) -> &[u8] {
            &self.0[..self.0.len() / 2]
        }

        fn advance(&mut self, read: usize) {
            self.0 = &self.0[read..];
        }
    }

    fn seen(data: &impl Buf) -> Option<Vec<u8>> {
        let mut seen = Vec::new();
        look(data, |part| seen.extend_from_slice(part)).then_some(seen)
    }

    #[test]
    fn all_parts_are_shown_in_order_or_none() {
        assert_eq!(seen(&&b"whole"[..]).unwrap(), b"whole");
        assert_eq!(seen(&(&b"ab"[..]).chain(&b"cd"[..])).unwrap(), b"abcd");
        assert_eq!(seen(&&b""[..]).unwrap(), b"");
        assert!(seen(&Half(b"abcd")).is_none(), "its second half cannot be seen");
    }
}
