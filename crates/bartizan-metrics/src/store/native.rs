//! Native histograms: exponential buckets that are made where values are.
//!
//! A bucket is 2^(1/8) times as wide as the one before it (schema 3), so a quantile is off by 9 % at
//! most. Buckets come in chunks of 16, which are made when a value needs them and never taken away:
//! a value finds its chunk by its place in a small table, without a lock. When the table has no
//! room for more fine chunks, values that have none go to coarser ones, and in the end to a range
//! that covers every number. A page brings all of them to the coarsest width in use, which loses
//! nothing, since each bucket of a coarser schema is two of the finer one.

mod read;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

pub(crate) use self::read::NativeBuckets;

use super::family::reserve;

/// 2^-128: what is nearer to zero counts as zero.
pub(crate) const ZERO_THRESHOLD: f64 = f64::from_bits((1023 - 128) << 52);

/// The finest schema: 2^3 buckets between a number and its double.
const SCHEMA: i8 = 3;
/// Buckets in a chunk.
const CHUNK: usize = 16;
/// Places for chunks. The finest ones of any 32 doublings in a row do not get in each other's way.
const SLOTS: usize = 16;
/// How many chunks there may be before the next one must be coarser, for each halving of the resolution.
const LADDER: [(u32, usize); 6] = [(0, 10), (1, 12), (2, 13), (3, 14), (4, 15), (5, SLOTS)];

/// The halvings of the widest buckets: 2^16 times as wide as the one before, schema -4.
const WIDEST: u32 = 7;
/// The widest buckets from the zero bucket to the largest number.
const WIDE_FIRST: i32 = -7;
const WIDE: usize = 72;

/// The native buckets of one series.
#[derive(Debug, Default)]
pub(crate) struct Native {
    zero: AtomicU64,
    chunks: AtomicUsize,
    slots: [OnceLock<Box<Chunk>>; SLOTS],
    /// Negative and positive.
    wide: OnceLock<Box<[[AtomicU64; WIDE]; 2]>>,
}

#[derive(Debug)]
struct Chunk {
    key: Key,
    counts: [AtomicU64; CHUNK],
}

/// Which values a chunk has: the index of its buckets without the last four bits, how often its
/// resolution is half of the finest, and whether they are negative. In one number, since every value compares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key(i32);

impl Native {
    /// Counts a finite value. What happened before is seen by whoever reads this count.
    pub(crate) fn record(&self, value: f64, times: u64) {
        let magnitude = value.abs();
        if magnitude <= ZERO_THRESHOLD {
            self.zero.fetch_add(times, Ordering::Release);
            return;
        }
        let (finest, negative) = (index(magnitude), value < 0.0);
        let (key, bucket) = Key::of(finest, 0, negative);
        match self.slots[key.slot()].get() {
            Some(chunk) if chunk.key == key => chunk.add(bucket, times),
            _ => self.record_elsewhere(finest, negative, times),
        }
    }

    /// Makes a chunk for the value, or finds one that is coarser.
    #[cold]
    fn record_elsewhere(&self, finest: i32, negative: bool, times: u64) {
        for (halvings, room) in LADDER {
            let (key, bucket) = Key::of(finest, halvings, negative);
            let slot = &self.slots[key.slot()];
            let chunk = match slot.get() {
                Some(chunk) => chunk,
                None if !reserve(&self.chunks, room) => continue,
                // Another thread may be first, with this chunk or with another: then a little room is lost.
                None => slot.get_or_init(|| Box::new(Chunk { key, counts: Default::default() })),
            };
            if chunk.key == key {
                return chunk.add(bucket, times);
            }
        }
        let wide = self.wide.get_or_init(|| Box::new(std::array::from_fn(|_| zeros())));
        let place = usize::try_from(halved(finest, WIDEST) - WIDE_FIRST).unwrap_or(0).min(WIDE - 1);
        wide[usize::from(!negative)][place].fetch_add(times, Ordering::Release);
    }
}

impl Chunk {
    fn add(&self, bucket: usize, times: u64) {
        self.counts[bucket % CHUNK].fetch_add(times, Ordering::Release);
    }
}

impl Key {
    /// The chunk of a bucket, and the bucket's place in it.
    fn of(finest: i32, halvings: u32, negative: bool) -> (Self, usize) {
        let index = halved(finest, halvings);
        let key = (index >> 4) << 4 | (halvings << 1).cast_signed() | i32::from(negative);
        (Self(key), index.cast_unsigned() as usize % CHUNK)
    }

    fn slot(self) -> usize {
        let spread = (self.0 & 1) << 3;
        ((self.0 >> 4) + spread).cast_unsigned() as usize % SLOTS
    }

    /// The index of its first bucket.
    fn first(self) -> i32 {
        self.0 & !15
    }

    fn halvings(self) -> u32 {
        self.0.cast_unsigned() >> 1 & 7
    }

    fn is_negative(self) -> bool {
        self.0 & 1 == 1
    }
}

fn zeros() -> [AtomicU64; WIDE] {
    std::array::from_fn(|_| AtomicU64::new(0))
}

/// The index of the bucket that a bucket is a part of at a coarser resolution.
const fn halved(index: i32, halvings: u32) -> i32 {
    (index + (1 << halvings) - 1) >> halvings
}

/// The fractions of 2^(k/8) for k from 0 to 7, as the bits of a float, and one that is above all.
const BOUNDS: [u64; 9] = {
    let powers = [
        1.0,
        1.090_507_732_665_257_7,
        1.189_207_115_002_721,
        1.296_839_554_651_009_6,
        std::f64::consts::SQRT_2,
        1.542_210_825_407_940_7,
        1.681_792_830_507_429,
        1.834_008_086_409_342_4_f64,
    ];
    let mut bounds = [u64::MAX; 9];
    let mut k = 0;
    while k < 8 {
        bounds[k] = powers[k].to_bits() & FRACTION;
        k += 1;
    }
    bounds
};

const FRACTION: u64 = (1 << 52) - 1;

/// How many bounds lie below the first number of each sixteenth of the way from a number to its double.
const BELOW: [u8; 16] = {
    let mut below = [0; 16];
    let mut sixteenth = 0;
    while sixteenth < 16 {
        let start = (sixteenth as u64) << 48;
        while BOUNDS[below[sixteenth] as usize] < start {
            below[sixteenth] += 1;
        }
        sixteenth += 1;
    }
    below
};

/// The index of a positive number's bucket at the finest schema: the `i` with `2^((i-1)/8) < value <= 2^(i/8)`.
fn index(value: f64) -> i32 {
    let bits = value.to_bits();
    let exponent = (bits >> 52) as i32 - 1023;
    let fraction = bits & FRACTION;
    // The bounds are further apart than a sixteenth, so at most one is left to compare with.
    let below = BELOW[(fraction >> 48) as usize];
    (exponent << SCHEMA) + i32::from(below) + i32::from(fraction > BOUNDS[usize::from(below)])
}
