use proptest::prelude::*;

use super::*;

fn read(native: &Native) -> NativeBuckets {
    let mut buckets = NativeBuckets::default();
    buckets.fill(Some(native));
    buckets
}

/// The lower (not in it) and the upper bound (in it) of a bucket.
fn bounds(index: i32, schema: i8) -> (f64, f64) {
    let width = 2_f64.powi((-schema).into());
    ((f64::from(index - 1) * width).exp2(), (f64::from(index) * width).exp2())
}

#[test]
fn a_power_of_two_is_the_upper_bound_of_its_bucket() {
    for (value, expected) in [(1.0, 0), (2.0, 8), (0.5, -8), (4.0, 16), (1.5, 5), (1.000_001, 1), (1.999, 8)]
    {
        assert_eq!(index(value), expected, "{value}");
    }
    assert_eq!(index(f64::from_bits(1.0_f64.to_bits() + 1)), 1);
    assert_eq!(index(f64::from_bits(1.0_f64.to_bits() - 1)), 0);
}

#[test]
fn a_bound_belongs_to_the_bucket_below_it() {
    for (k, bound) in (0..8).zip(BOUNDS) {
        let bound = f64::from_bits(1.0_f64.to_bits() | bound);
        assert_eq!(index(bound), k);
        assert_eq!(index(f64::from_bits(bound.to_bits() + 1)), k + 1);
    }
}

#[test]
fn zero_and_what_is_next_to_it_have_a_bucket_of_their_own() {
    let native = Native::default();
    for value in [0.0, -0.0, ZERO_THRESHOLD, -ZERO_THRESHOLD, f64::MIN_POSITIVE, 5e-324] {
        native.record(value, 1);
    }
    let buckets = read(&native);
    assert_eq!((buckets.zero(), buckets.is_empty(), buckets.total()), (6, true, 6));
}

#[test]
fn durations_keep_the_finest_resolution() {
    let native = Native::default();
    // 100 microseconds to 5 seconds.
    for n in 0..1_000 {
        native.record(1e-4 * 50_000_f64.powf(f64::from(n) / 1_000.0), 1);
    }
    let buckets = read(&native);
    assert_eq!((buckets.schema(), buckets.total()), (3, 1_000));
    assert!(buckets.positive().len() > 100);
    assert!(native.wide.get().is_none());
}

#[test]
fn a_wide_range_becomes_coarser_step_by_step_and_loses_nothing() {
    let native = Native::default();
    let mut schemas = vec![];
    for (n, exponent) in (-100..1023).enumerate() {
        native.record(2_f64.powi(exponent) * 1.1, 1);
        native.record(-(2_f64.powi(exponent)), 1);
        let buckets = read(&native);
        assert_eq!(buckets.total(), 2 * (n as u64 + 1));
        assert!(buckets.negative().len() + buckets.positive().len() <= 160);
        schemas.push(buckets.schema());
    }
    assert!(schemas.is_sorted_by(|before, after| before >= after));
    assert_eq!((schemas.first(), schemas.last()), (Some(&3), Some(&-4)));
    assert!(native.chunks.load(Ordering::Relaxed) <= SLOTS);
}

#[test]
fn the_largest_and_the_smallest_numbers_have_a_bucket() {
    let native = Native::default();
    for exponent in -127..=1023 {
        native.record(2_f64.powi(exponent), 1);
    }
    native.record(f64::MAX, 1);
    let buckets = read(&native);
    assert_eq!((buckets.schema(), buckets.total()), (-4, 1152));
    assert_eq!(buckets.positive().first().unwrap().0, WIDE_FIRST);
    assert_eq!((WIDE_FIRST..).nth(WIDE - 1), Some(buckets.positive().last().unwrap().0));
}

#[test]
fn threads_together_lose_nothing() {
    let native = Native::default();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let native = &native;
            scope.spawn(move || {
                for n in 0..10_000 {
                    native.record(1.3_f64.powi((n * 7 + thread) % 120 - 60), 1);
                }
            });
        }
    });
    assert_eq!(read(&native).total(), 40_000);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_value_is_in_the_bucket_that_the_page_says(
        values in proptest::collection::vec(prop_oneof![any::<f64>(), -1e3..1e3, 1e-5..10.0], 1..60),
    ) {
        let native = Native::default();
        let values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        for value in &values {
            native.record(*value, 1);
        }
        let buckets = read(&native);
        prop_assert_eq!(buckets.total(), values.len() as u64);
        for (sign, side) in [(-1.0, buckets.negative()), (1.0, buckets.positive())] {
            prop_assert!(side.is_sorted_by(|before, after| before.0 < after.0));
            for &(index, count) in side {
                let (low, high) = bounds(index, buckets.schema());
                // Computed bounds are not exact.
                let within = |value: &&f64| {
                    let value = **value * sign;
                    value > ZERO_THRESHOLD && value > low * (1.0 - 1e-12) && value <= high * (1.0 + 1e-12)
                };
                prop_assert!(values.iter().filter(within).count() as u64 >= count);
            }
        }
    }
}
