//! Numbers that many threads add to, and of which only the total is read.

use std::iter;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// How many threads add apart from each other; more than these share.
const STRIPES: usize = 8;

thread_local! {
    static OWN: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Relaxed) % STRIPES
    };
}

/// On a cache line that no other number is on.
#[derive(Debug)]
#[repr(align(64))]
struct Apart<T>(T);

/// All threads add to the first part until two of them meet there. From then on each has a part of its own, so that none waits for
/// another's cache line. What is used by one thread takes no memory for the others.
#[derive(Debug, Default)]
pub(super) struct Stripes<T> {
    first: T,
    others: OnceLock<Box<[Apart<T>; STRIPES]>>,
}

impl<T> Stripes<T> {
    pub(super) fn new(first: T) -> Self {
        Self { first, others: OnceLock::new() }
    }

    /// Adds to a part, and returns it. `attempt` says false where another thread came in between; it is then repeated.
    #[inline]
    pub(super) fn add(&self, make: impl Fn() -> T, attempt: impl Fn(&T) -> bool) -> &T {
        if self.others.get().is_none() && attempt(&self.first) {
            return &self.first;
        }
        let own = self.own(make);
        while !attempt(own) {}
        own
    }

    fn own(&self, make: impl Fn() -> T) -> &T {
        let others = self.others.get_or_init(|| Box::new(std::array::from_fn(|_| Apart(make()))));
        others.get(OWN.try_with(|own| *own).unwrap_or(0)).map_or(&self.first, |Apart(own)| own)
    }

    pub(super) fn first(&self) -> &T {
        &self.first
    }

    pub(super) fn others(&self) -> impl Iterator<Item = &T> {
        self.others.get().into_iter().flat_map(|others| others.iter().map(|Apart(other)| other))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &T> {
        iter::once(&self.first).chain(self.others())
    }
}

/// One attempt to change a number.
#[inline]
pub(super) fn change(number: &AtomicU64, change: impl Fn(u64) -> u64) -> bool {
    let old = number.load(Relaxed);
    number.compare_exchange(old, change(old), Relaxed, Relaxed).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_meet_add_apart_and_nothing_is_lost() {
        let stripes = Stripes::<AtomicU64>::default();
        let add = || stripes.add(AtomicU64::default, |part| change(part, |old| old + 1));
        assert!(std::ptr::eq(add(), stripes.first()));
        // The first attempt meets another thread.
        let met = std::cell::Cell::new(false);
        let own = stripes.add(AtomicU64::default, |part| met.replace(true) && change(part, |old| old + 1));
        assert!(!std::ptr::eq(own, stripes.first()));
        assert!(std::ptr::eq(add(), own), "from then on");
        std::thread::scope(|scope| {
            for _ in 0..2 * STRIPES {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        add();
                    }
                });
            }
        });
        let total: u64 = stripes.all().map(|part| part.load(Relaxed)).sum();
        assert_eq!(total, 3 + 2 * STRIPES as u64 * 10_000);
        assert!(stripes.others().filter(|part| part.load(Relaxed) > 0).count() > 1);
    }
}
