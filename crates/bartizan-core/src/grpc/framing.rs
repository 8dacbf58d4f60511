//! Counts gRPC messages by their five-byte prefixes, in whatever chunks they come.

use bytes::Buf;

use crate::parts;

/// The bytes of a message's prefix: a flag that tells whether it is compressed, and four bytes of length.
const PREFIX: u8 = 5;

/// Where in the stream of length-prefixed messages we are. Nothing is kept of the messages themselves, so a hostile
/// length costs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Framing {
    prefix_read: u8,
    /// Bytes of the current message that are still to come, once its prefix is read.
    left: u32,
    messages: u64,
    /// Bytes went past unseen.
    lost: bool,
}

impl Framing {
    /// How many messages have come in full; `None` if that could not be seen.
    pub(crate) fn messages(&self) -> Option<u64> {
        (!self.lost).then_some(self.messages)
    }

    /// Looks at a chunk without taking anything from it.
    pub(crate) fn look<D: Buf>(&mut self, data: &D) {
        self.lost |= !parts::look(data, |part| self.push(part));
    }

    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.prefix_read < PREFIX {
                if self.prefix_read > 0 {
                    self.left = self.left << 8 | u32::from(*first);
                }
                self.prefix_read += 1;
                bytes = rest;
            } else {
                let taken = bytes.len().min(self.left as usize);
                self.left -= taken as u32;
                bytes = bytes.get(taken..).unwrap_or_default();
            }
            if self.prefix_read == PREFIX && self.left == 0 {
                self.messages += 1;
                self.prefix_read = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn wire(sizes: &[usize]) -> Vec<u8> {
        let mut wire = Vec::new();
        for (n, size) in sizes.iter().enumerate() {
            wire.push((n % 2) as u8);
            wire.extend((*size as u32).to_be_bytes());
            wire.extend(std::iter::repeat_n(0xff, *size));
        }
        wire
    }

    proptest! {
        #[test]
        fn messages_are_counted_however_they_are_cut(
            sizes in proptest::collection::vec(0_usize..300, 0..20),
            cuts in proptest::collection::vec(1_usize..40, 1..20),
        ) {
            let wire = wire(&sizes);
            let mut framing = Framing::default();
            let (mut rest, mut cuts) = (&wire[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let (chunk, later) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
                framing.look(&chunk);
                rest = later;
            }
            prop_assert_eq!(framing.messages(), Some(sizes.len() as u64));
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut framing = Framing::default();
            framing.push(&bytes);
            prop_assert!(framing.messages().unwrap() <= bytes.len() as u64 / 5);
        }
    }

    #[test]
    fn a_message_that_is_not_there_in_full_does_not_count() {
        let mut framing = Framing::default();
        framing.push(&[0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
        assert_eq!(framing.messages(), Some(0));
        framing = Framing::default();
        framing.push(&wire(&[3])[..7]);
        assert_eq!(framing.messages(), Some(0));
        framing.push(&[0]);
        assert_eq!(framing.messages(), Some(1));
    }

    #[test]
    fn a_chunk_in_parts_is_seen_whole_or_the_count_is_unknown() {
        let wire = wire(&[4, 0]);
        let (head, tail) = wire.split_at(6);
        let mut framing = Framing::default();
        framing.look(&Bytes::copy_from_slice(head).chain(Bytes::copy_from_slice(tail)));
        assert_eq!(framing.messages(), Some(2));

        let queue: std::collections::VecDeque<u8> = {
            let mut queue = std::collections::VecDeque::with_capacity(8);
            queue.extend([0; 6]);
            queue.drain(..5);
            queue.extend([0; 7]);
            queue
        };
        framing.look(&queue);
        // A ring buffer that wraps shows both of its parts, or the count is given up.
        assert!(matches!(framing.messages(), Some(3) | None));
    }
}
