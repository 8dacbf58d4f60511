//! Native buckets as a page needs them: sorted, of one width, and not too many.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Acquire;

use super::{Native, SCHEMA, WIDE_FIRST, WIDEST, halved};

/// Most buckets on a page; with more, two become one until they fit.
const MAX_BUCKETS: usize = 160;

/// The buckets of a series at one moment. Made to be filled again for the next series.
#[derive(Debug, Default)]
pub(crate) struct NativeBuckets {
    halvings: u32,
    zero: u64,
    /// Indexes and counts.
    negative: Vec<(i32, u64)>,
    positive: Vec<(i32, u64)>,
}

impl NativeBuckets {
    /// How wide the buckets are: each is 2^(2^-schema) times as wide as the one before.
    pub(crate) fn schema(&self) -> i8 {
        SCHEMA - self.halvings as i8
    }

    pub(crate) fn zero(&self) -> u64 {
        self.zero
    }

    /// By rising magnitude; without empty ones.
    pub(crate) fn negative(&self) -> &[(i32, u64)] {
        &self.negative
    }

    /// By rising magnitude; without empty ones.
    pub(crate) fn positive(&self) -> &[(i32, u64)] {
        &self.positive
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.negative.is_empty() && self.positive.is_empty()
    }

    /// All values that were counted.
    pub(crate) fn total(&self) -> u64 {
        let counts = self.negative.iter().chain(&self.positive).map(|(_, count)| *count);
        counts.fold(self.zero, u64::wrapping_add)
    }

    /// Reads a series that has counted something, or nothing yet.
    pub(crate) fn fill(&mut self, native: Option<&Native>) {
        self.negative.clear();
        self.positive.clear();
        (self.zero, self.halvings) = (0, 0);
        let Some(native) = native else { return };
        self.zero = native.zero.load(Acquire);
        let chunks = || native.slots.iter().filter_map(|slot| slot.get());
        let wide = native.wide.get();
        self.halvings = if wide.is_some() {
            WIDEST
        } else {
            chunks().map(|chunk| chunk.key.halvings()).max().unwrap_or_default()
        };
        for chunk in chunks() {
            self.add(chunk.key.is_negative(), chunk.key.halvings(), chunk.key.first(), &chunk.counts);
        }
        for (sign, counts) in wide.iter().flat_map(|wide| wide.iter()).enumerate() {
            self.add(sign == 0, WIDEST, WIDE_FIRST, counts);
        }
        merge(&mut self.negative);
        merge(&mut self.positive);
        while self.negative.len() + self.positive.len() > MAX_BUCKETS && self.halvings < WIDEST {
            self.halvings += 1;
            for buckets in [&mut self.negative, &mut self.positive] {
                for (index, _) in buckets.iter_mut() {
                    *index = halved(*index, 1);
                }
                merge(buckets);
            }
        }
    }

    fn add(&mut self, negative: bool, halvings: u32, first: i32, counts: &[AtomicU64]) {
        let buckets = if negative { &mut self.negative } else { &mut self.positive };
        let further = self.halvings.saturating_sub(halvings);
        for (index, count) in (first..).zip(counts) {
            let count = count.load(Acquire);
            if count > 0 {
                buckets.push((halved(index, further), count));
            }
        }
    }
}

/// Sorts buckets and adds up those of the same index.
fn merge(buckets: &mut Vec<(i32, u64)>) {
    // Nearly sorted already: chunks are in runs.
    buckets.sort_by_key(|(index, _)| *index);
    buckets.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 = kept.1.wrapping_add(next.1);
        }
        same
    });
}
