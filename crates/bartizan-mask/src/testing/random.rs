//! Random numbers that are the same for the same seed.

/// SplitMix64.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub(super) fn between(&mut self, start: usize, end: usize) -> usize {
        start + self.below(end - start)
    }

    pub(super) fn letter(&mut self) -> char {
        char::from(b"abcdefghijklmnopqrstuvwy"[self.below(24)])
    }

    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }

    /// Some letters percent-encoded.
    pub(super) fn encode(&mut self, name: &str) -> String {
        let bytes = name.bytes();
        bytes
            .map(
                |byte| if self.below(6) == 0 { format!("%{byte:02x}") } else { char::from(byte).to_string() },
            )
            .collect()
    }

    /// One of the names, with some letters percent-encoded twice.
    pub(super) fn encoded(&mut self, names: &[String]) -> String {
        let name = self.pick(names).cloned().unwrap_or_default();
        self.encode(&name).replace('%', "%25")
    }
}
