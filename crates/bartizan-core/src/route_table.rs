//! A bounded table of what is kept for each route, read without a lock: slots are filled once and never emptied.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What an observer keeps for each route, and each key that tells exchanges on it apart: handles of metrics, names of spans.
///
/// Nothing is ever removed, so routes and keys must come from bounded sets. Looking up neither allocates nor locks.
///
/// ```
/// use bartizan_core::{KnownMethod, RouteTable};
///
/// let table = RouteTable::new(100);
/// let get = KnownMethod::of(&http::Method::GET);
/// let name = table.get_or_make(get, "/users/{id}", 100, || "GET /users/{id}".to_owned());
/// assert_eq!(name.map(String::as_str), Some("GET /users/{id}"));
/// ```
pub struct RouteTable<K, T> {
    slots: Box<[Slot<K, T>]>,
    filled: AtomicUsize,
}

type Slot<K, T> = OnceLock<Box<Entry<K, T>>>;

struct Entry<K, T> {
    hash: u64,
    key: K,
    route: Box<str>,
    value: T,
}

impl<K: Copy + Eq + Hash, T> RouteTable<K, T> {
    /// A table for `max` entries, and as many overflow entries as the rest of its slots holds.
    pub fn new(max: usize) -> Self {
        let slots = (max * 2).next_power_of_two().max(256);
        Self { slots: (0..slots).map(|_| OnceLock::new()).collect(), filled: AtomicUsize::new(0) }
    }

    /// What is kept for this key and this route; made, if there are fewer than `max` entries so far. `None` if there is no room.
    pub fn get_or_make(&self, key: K, route: &str, max: usize, make: impl Fn() -> T) -> Option<&T> {
        let hash = hash(key, route);
        let mask = self.slots.len() - 1;
        for probe in 0..self.slots.len() {
            let slot = self.slots.get((hash as usize).wrapping_add(probe) & mask)?;
            let entry = match slot.get() {
                Some(entry) => entry,
                None if self.filled.load(Ordering::Relaxed) >= max => return None,
                // Another thread may fill the slot first, with this entry or with another.
                None => slot.get_or_init(|| {
                    self.filled.fetch_add(1, Ordering::Relaxed);
                    Box::new(Entry { hash, key, route: route.into(), value: make() })
                }),
            };
            if entry.hash == hash && entry.key == key && *entry.route == *route {
                return Some(&entry.value);
            }
        }
        None
    }
}

impl<K, T> fmt::Debug for RouteTable<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteTable").field("filled", &self.filled).finish_non_exhaustive()
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
        self.add(value.cast_unsigned() as u64);
    }
}

fn hash(key: impl Hash, route: &str) -> u64 {
    let mut hasher = Words(0);
    key.hash(&mut hasher);
    hasher.write(route.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_made_once_and_none_beyond_the_limit() {
        let table = RouteTable::new(100);
        for round in 0..2 {
            for n in 0..150_u16 {
                let (key, route) = (n % 7, format!("/route/{}", n / 7));
                let found = table.get_or_make(key, &route, 100, || (round, n));
                assert_eq!(found.copied(), (n < 100).then_some((0, n)), "{n}");
            }
        }
    }
}
