//! Bounded tables of what is kept for each route and each key, read without a lock: slots are filled once and never emptied.

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
pub struct RouteTable<K, T>(Slots<(K, Box<str>, T)>);

impl<K: Copy + Eq + Hash, T> RouteTable<K, T> {
    /// A table for `max` entries, and as many overflow entries as the rest of its slots holds.
    pub fn new(max: usize) -> Self {
        Self(Slots::new(max))
    }

    /// What is kept for this key and this route; made, if there are fewer than `max` entries so far. `None` if there is no room.
    #[inline]
    pub fn get_or_make(&self, key: K, route: &str, max: usize, make: impl Fn() -> T) -> Option<&T> {
        self.find_or_make(key, route, max, make).map(|(_, kept)| kept)
    }

    /// The same with its place, which does not change: [`at`](Self::at) looks there without a search.
    ///
    /// ```
    /// use bartizan_core::RouteTable;
    ///
    /// let table = RouteTable::new(100);
    /// let (place, _) = table.find_or_make((), "/users/{id}", 100, || 7).unwrap();
    /// assert_eq!(table.at(place), Some(&7));
    /// assert_eq!(table.find((), "/users/{id}"), Some((place, &7)));
    /// assert_eq!(table.find((), "/users"), None);
    /// ```
    pub fn find_or_make(&self, key: K, route: &str, max: usize, make: impl Fn() -> T) -> Option<(usize, &T)> {
        let is = |entry: &(K, Box<str>, T)| entry.0 == key && *entry.1 == *route;
        let make = || (key, route.into(), make());
        self.0.find_or_make(hash(key, route), max, is, make).map(|(place, entry)| (place, &entry.2))
    }

    /// What is kept for this key and this route, with its place.
    #[inline]
    pub fn find(&self, key: K, route: &str) -> Option<(usize, &T)> {
        let is = |entry: &(K, Box<str>, T)| entry.0 == key && *entry.1 == *route;
        self.0.find(hash(key, route), is).map(|(place, entry)| (place, &entry.2))
    }

    /// What is kept at a place.
    #[inline]
    pub fn at(&self, place: usize) -> Option<&T> {
        self.0.slots.get(place)?.get().map(|entry| &entry.1.2)
    }
}

impl<K, T> fmt::Debug for RouteTable<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteTable").field("filled", &self.0.filled).finish_non_exhaustive()
    }
}

/// The same where the route is a part of the key, as its place in a [`RouteTable`].
///
/// ```
/// use bartizan_core::KeyTable;
///
/// let table = KeyTable::new(100);
/// assert_eq!(table.get((3, 200)), None);
/// assert_eq!(table.get_or_make((3, 200), 100, || "ok"), Some(&"ok"));
/// assert_eq!(table.get((3, 200)), Some(&"ok"));
/// ```
pub struct KeyTable<K, T>(Slots<(K, T)>);

impl<K: Copy + Eq + Hash, T> KeyTable<K, T> {
    /// A table for `max` entries, and as many overflow entries as the rest of its slots holds.
    pub fn new(max: usize) -> Self {
        Self(Slots::new(max))
    }

    /// What is kept for this key.
    #[inline]
    pub fn get(&self, key: K) -> Option<&T> {
        self.0.find(hash(key, ""), |entry| entry.0 == key).map(|(_, entry)| &entry.1)
    }

    /// What is kept for this key; made, if there are fewer than `max` entries so far. `None` if there is no room.
    pub fn get_or_make(&self, key: K, max: usize, make: impl Fn() -> T) -> Option<&T> {
        let found = self.0.find_or_make(hash(key, ""), max, |entry| entry.0 == key, || (key, make()));
        found.map(|(_, entry)| &entry.1)
    }
}

impl<K, T> fmt::Debug for KeyTable<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyTable").field("filled", &self.0.filled).finish_non_exhaustive()
    }
}

/// Entries, each with its hash, in the first free slot after the one that the hash names.
struct Slots<E> {
    slots: Box<[Slot<E>]>,
    filled: AtomicUsize,
}

type Slot<E> = OnceLock<Box<(u64, E)>>;

impl<E> Slots<E> {
    fn new(max: usize) -> Self {
        let slots = (max * 2).next_power_of_two().max(256);
        Self { slots: (0..slots).map(|_| OnceLock::new()).collect(), filled: AtomicUsize::new(0) }
    }

    /// All places, in the order in which an entry of this hash tries them.
    #[inline]
    fn places(&self, hash: u64) -> impl Iterator<Item = usize> {
        let mask = self.slots.len() - 1;
        (0..self.slots.len()).map(move |probe| (hash as usize).wrapping_add(probe) & mask)
    }

    #[inline]
    fn find(&self, hash: u64, is: impl Fn(&E) -> bool) -> Option<(usize, &E)> {
        for place in self.places(hash) {
            let (other, entry) = &**self.slots.get(place)?.get()?;
            if *other == hash && is(entry) {
                return Some((place, entry));
            }
        }
        None
    }

    fn find_or_make(
        &self,
        hash: u64,
        max: usize,
        is: impl Fn(&E) -> bool,
        make: impl Fn() -> E,
    ) -> Option<(usize, &E)> {
        for place in self.places(hash) {
            let slot = self.slots.get(place)?;
            let (other, entry) = match slot.get() {
                Some(entry) => &**entry,
                None if self.filled.load(Ordering::Relaxed) >= max => return None,
                // Another thread may fill the slot first, with this entry or with another.
                None => &**slot.get_or_init(|| {
                    self.filled.fetch_add(1, Ordering::Relaxed);
                    Box::new((hash, make()))
                }),
            };
            if *other == hash && is(entry) {
                return Some((place, entry));
            }
        }
        None
    }
}

#[inline]
fn hash(key: impl Hash, route: &str) -> u64 {
    let mut words = Words(0);
    key.hash(&mut words);
    if !route.is_empty() {
        words.write(route.as_bytes());
    }
    words.finish()
}

/// Eight bytes a multiplication. Routes come from the application, so nobody can aim for collisions.
struct Words(u64);

impl Words {
    #[inline]
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Hasher for Words {
    #[inline]
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((word, more)) = rest.split_first_chunk() {
            self.add(u64::from_le_bytes(*word));
            rest = more;
        }
        // Some of the last eight bytes may have been there already.
        self.add(match bytes.last_chunk() {
            Some(end) => u64::from_le_bytes(*end),
            None => rest.iter().fold(0, |end, byte| end << 8 | u64::from(*byte)),
        });
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.add(value.into());
    }

    #[inline]
    fn write_u16(&mut self, value: u16) {
        self.add(value.into());
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.add(value.into());
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.add(value);
    }

    #[inline]
    fn write_isize(&mut self, value: isize) {
        self.add(value.cast_unsigned() as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_made_once_and_none_beyond_the_limit() {
        let table = RouteTable::new(100);
        let numbers = KeyTable::new(100);
        for round in 0..2 {
            for n in 0..150_u16 {
                let (key, route) = (n % 7, format!("/route/{}", n / 7));
                let found = table.get_or_make(key, &route, 100, || (round, n));
                assert_eq!(found.copied(), (n < 100).then_some((0, n)), "{n}");
                let found = numbers.get_or_make((n, 7), 100, || (round, n));
                assert_eq!(found.copied(), (n < 100).then_some((0, n)), "{n}");
                assert_eq!(numbers.get((n, 7)), found);
            }
        }
    }

    #[test]
    fn a_place_stays_the_same() {
        let table = RouteTable::new(1_000);
        let route = |n: usize| "/x".repeat(n % 50) + &n.to_string();
        let places: Vec<_> =
            (0..1_000).map(|n| table.find_or_make(n, &route(n), 1_000, || n).unwrap().0).collect();
        for (n, place) in places.into_iter().enumerate() {
            assert_eq!(table.at(place), Some(&n));
            assert_eq!(table.find(n, &route(n)), Some((place, &n)));
            assert_eq!(table.find(n + 1, &route(n)), None);
        }
        assert_eq!(table.at(1 << 20), None);
    }
}
