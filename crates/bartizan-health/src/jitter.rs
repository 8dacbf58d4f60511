//! Random pauses, so that a fleet that was started at once does not go on in step.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// The pause after the first run: anywhere in the interval, so that instances spread over it.
pub(crate) fn first(interval: Duration) -> Duration {
    part(interval, 0.1 + 0.9 * share())
}

/// A later pause: up to a tenth shorter, never longer.
pub(crate) fn later(interval: Duration) -> Duration {
    part(interval, 1.0 - 0.1 * share())
}

/// A pause that is too long to be multiplied stays as it is.
fn part(interval: Duration, share: f64) -> Duration {
    Duration::try_from_secs_f64(interval.as_secs_f64() * share).unwrap_or(interval)
}

/// A random share of one. The standard library's hash keys are random enough for that.
fn share() -> f64 {
    let bits = RandomState::new().hash_one(0_u8) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(10);

    #[test]
    fn pauses_differ_and_stay_within_the_interval() {
        let first: Vec<_> = (0..1_000).map(|_| first(INTERVAL)).collect();
        assert!(first.iter().all(|pause| (INTERVAL / 10..=INTERVAL).contains(pause)));
        for quarter in 1..=3 {
            let below = first.iter().filter(|pause| **pause < INTERVAL * quarter / 4).count();
            assert!((50..950).contains(&below), "{below} of 1000 in the first {quarter} quarters");
        }
        let later: Vec<_> = (0..1_000).map(|_| later(INTERVAL)).collect();
        assert!(later.iter().all(|pause| (INTERVAL * 9 / 10..=INTERVAL).contains(pause)));
        assert!(later.iter().any(|pause| *pause != later[0]));
    }

    #[test]
    fn a_pause_without_end_stays_one() {
        assert_eq!(part(Duration::MAX, 1.0), Duration::MAX);
    }
}
