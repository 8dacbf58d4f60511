//! The values of one label, by number.

use bartizan_core::RouteTable;
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

use super::Bound;
use crate::red::names::OVERFLOW;

/// Longest value, in bytes.
const MAX_VALUE: usize = 128;

/// Nothing was named.
pub(super) const NONE: u16 = 0;
/// `other` of declared values, `overflow` past a cap.
pub(super) const REST: u16 = u16::MAX;
/// What stands for any value where there are too many series.
pub(super) const FOLD: u16 = u16::MAX - 1;

/// The values of one label, each with its number. Found without a lock.
pub(super) struct Values {
    pub(super) declared: bool,
    max: usize,
    numbers: RouteTable<(), u16>,
    next: AtomicU16,
    /// By number, from 1.
    texts: Box<[OnceLock<Box<str>>]>,
}

impl Values {
    pub(super) fn new(bound: &Bound, max: usize) -> Self {
        let declared = matches!(bound, Bound::Declared(_));
        let values = Self {
            declared,
            max,
            numbers: RouteTable::new(max),
            next: AtomicU16::new(1),
            texts: (0..max).map(|_| OnceLock::new()).collect(),
        };
        if let Bound::Declared(texts) = bound {
            texts.iter().for_each(|text| _ = values.insert(cut(text), max));
        }
        values
    }

    /// The number of the value that a function names.
    pub(super) fn number<'a>(&self, value: impl FnOnce() -> Option<Cow<'a, str>>) -> u16 {
        // A function of the application; its panic is not the request's end.
        let value = catch_unwind(AssertUnwindSafe(value)).ok().flatten();
        match value.as_deref().map(cut) {
            None | Some("") => NONE,
            Some(text) => self.insert(text, if self.declared { 0 } else { self.max }),
        }
    }

    /// The number of a value, which is new only where there are fewer than so many.
    fn insert(&self, text: &str, max: usize) -> u16 {
        let make = || {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            match self.texts.get(usize::from(number) - 1) {
                Some(slot) if slot.set(text.into()).is_ok() => number,
                // Threads that met at the cap.
                _ => REST,
            }
        };
        self.numbers.get_or_make((), text, max, make).copied().unwrap_or(REST)
    }

    pub(super) fn text(&self, number: u16) -> &str {
        match number {
            NONE => "none",
            REST if self.declared => "other",
            number => {
                let text = self.texts.get(usize::from(number).wrapping_sub(1)).and_then(OnceLock::get);
                text.map_or(OVERFLOW, |text| text)
            }
        }
    }
}

fn cut(text: &str) -> &str {
    crate::store::cut(text, MAX_VALUE)
}

#[cfg(test)]
mod tests;
