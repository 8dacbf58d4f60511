//! A bounded table of handles that is read without a lock: slots are filled once and never emptied.

use std::hash::{Hash, Hasher};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::names::Traits;

pub(super) struct Table<T, K = Traits> {
    slots: Box<[Slot<T, K>]>,
    filled: AtomicUsize,
}

type Slot<T, K> = OnceLock<Box<Entry<T, K>>>;

struct Entry<T, K> {
    hash: u64,
    traits: K,
    route: Box<str>,
    value: T,
}

impl<T, K: Copy + Eq + Hash> Table<T, K> {
    /// A table for `max` entries, and as many overflow entries as the rest of its slots holds.
    pub(super) fn new(max: usize) -> Self {
        let slots = (max * 2).next_power_of_two().max(256);
        Self { slots: (0..slots).map(|_| OnceLock::new()).collect(), filled: AtomicUsize::new(0) }
    }

    /// The entry of these traits and this route; made, if there are fewer than `max` so far.
    pub(super) fn get_or_make(&self, traits: K, route: &str, max: usize, make: impl Fn() -> T) -> Option<&T> {
        let hash = hash(traits, route);
        let mask = self.slots.len() - 1;
        for probe in 0..self.slots.len() {
            let slot = self.slots.get((hash as usize).wrapping_add(probe) & mask)?;
            let entry = match slot.get() {
                Some(entry) => entry,
                None if self.filled.load(Ordering::Relaxed) >= max => return None,
                // Another thread may fill the slot first, with this entry or with another.
                None => slot.get_or_init(|| {
                    self.filled.fetch_add(1, Ordering::Relaxed);
                    Box::new(Entry { hash, traits, route: route.into(), value: make() })
                }),
            };
            if entry.hash == hash && entry.traits == traits && *entry.route == *route {
                return Some(&entry.value);
            }
        }
        None
    }
}

/// Eight bytes a multiplication. Routes come from the application, so nobody can aim for collisions.
struct Words(u64);

impl Words {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Hasher for Words {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        self.add(u64::from_le_bytes(last));
    }

    fn write_u8(&mut self, value: u8) {
        self.add(value.into());
    }

    fn write_u16(&mut self, value: u16) {
        self.add(value.into());
    }

    fn write_isize(&mut self, value: isize) {
        self.add(value as u64);
    }
}

fn hash(traits: impl Hash, route: &str) -> u64 {
    let mut hasher = Words(0);
    traits.hash(&mut hasher);
    hasher.write(route.as_bytes());
    hasher.finish()
}
