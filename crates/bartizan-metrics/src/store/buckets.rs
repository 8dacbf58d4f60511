//! Bucket bounds: validated once, with their `le` labels ready for both formats.

use std::sync::Arc;

use crate::exposition::number;

/// Request durations in seconds, as OpenTelemetry's HTTP conventions advise.
pub(crate) const DURATION: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Sizes in bytes; the first bucket counts what is empty.
pub(crate) const SIZE: [f64; 11] = [
    0.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

/// Lifetimes of connections in seconds, from one second to a day.
pub(crate) const CONNECTION: [f64; 9] =
    [1.0, 10.0, 60.0, 300.0, 1_800.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0];

const MAX_BOUNDS: usize = 64;

/// What is wrong with a list of bucket bounds.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BucketsError {
    /// No bound at all.
    #[error("the list is empty: give at least one upper bound")]
    Empty,
    /// More than 64 bounds.
    #[error("{count} bounds: every one is a series in each label set, give at most {MAX_BOUNDS}")]
    TooMany {
        /// How many were given.
        count: usize,
    },
    /// A bound is `NaN` or infinite.
    #[error("bound {index} is {value}: give finite numbers only, `+Inf` is added by itself")]
    NotFinite {
        /// Its place in the list, from 0.
        index: usize,
        /// The bound.
        value: f64,
    },
    /// A bound is not above the one before it.
    #[error("bound {index} is {value}, which is not above the one before it: sort the list, without repeats")]
    NotIncreasing {
        /// Its place in the list, from 0.
        index: usize,
        /// The bound.
        value: f64,
    },
}

/// The upper bounds of a histogram, without `+Inf`.
#[derive(Debug)]
pub(crate) struct Buckets {
    bounds: Box<[f64]>,
    search: Search,
    /// `le="..."} ` for each bound and `+Inf`.
    text: Box<[Box<str>]>,
    open_metrics: Box<[Box<str>]>,
}

impl Buckets {
    pub(crate) fn new(bounds: &[f64]) -> Result<Self, BucketsError> {
        if bounds.is_empty() {
            return Err(BucketsError::Empty);
        }
        if bounds.len() > MAX_BOUNDS {
            return Err(BucketsError::TooMany { count: bounds.len() });
        }
        let mut last = f64::NEG_INFINITY;
        for (index, &value) in bounds.iter().enumerate() {
            if !value.is_finite() {
                return Err(BucketsError::NotFinite { index, value });
            }
            if value <= last {
                return Err(BucketsError::NotIncreasing { index, value });
            }
            last = value;
        }
        Ok(Self::of(bounds))
    }

    /// Bounds that are known to be good.
    fn of(bounds: &[f64]) -> Self {
        // Adding zero turns -0.0 into 0.0, so that no page says `le="-0"`.
        let bounds: Box<[f64]> = bounds.iter().map(|bound| bound + 0.0).collect();
        let labels = |write: fn(f64) -> String| {
            bounds
                .iter()
                .map(|&bound| write(bound))
                .chain(std::iter::once("+Inf".to_owned()))
                .map(|bound| format!("le=\"{bound}\"}} ").into_boxed_str())
                .collect()
        };
        let (text, open_metrics) = (labels(number::bound), labels(number::float_bound));
        Self { search: Search::over(&bounds), bounds, text, open_metrics }
    }

    pub(crate) fn bounds(&self) -> &[f64] {
        &self.bounds
    }

    /// The bucket that a finite value belongs to.
    pub(crate) fn position(&self, value: f64) -> usize {
        let below = |bound: &f64| *bound < value;
        let Some(mut position) = self.search.start(value) else { return self.bounds.partition_point(below) };
        while self.bounds.get(position).is_some_and(below) {
            position += 1;
        }
        position
    }

    /// `le="..."} ` for each bucket, `+Inf` last.
    pub(crate) fn labels(&self, open_metrics: bool) -> &[Box<str>] {
        if open_metrics { &self.open_metrics } else { &self.text }
    }
}

/// Where to begin to look for a value: bounds are few between a number and its double, so this is nearly the place.
#[derive(Debug)]
struct Search {
    /// How many bounds are below zero.
    negative: usize,
    /// The exponent, as in a float's bits, of the lowest bound above zero.
    first: usize,
    /// How many bounds are below 2^e, for each exponent from the first one on to that of the highest bound.
    starts: Box<[u8]>,
    all: usize,
}

impl Search {
    /// The sign of a float's bits, next to its exponent.
    const SIGN: usize = 1 << 11;

    fn over(bounds: &[f64]) -> Self {
        let exponent = |bound: &f64| (bound.to_bits() >> 52) as usize;
        let first = bounds.iter().find(|bound| **bound > 0.0).map_or(Self::SIGN, exponent);
        let last = bounds.last().filter(|bound| **bound > 0.0).map_or(first, exponent);
        let below = |limit: f64| bounds.partition_point(|bound| *bound < limit);
        let start = |exponent: usize| below(f64::from_bits((exponent as u64) << 52)) as u8;
        Self {
            negative: below(0.0),
            first,
            starts: (first..=last).filter(|exponent| *exponent < Self::SIGN).map(start).collect(),
            all: bounds.len(),
        }
    }

    /// `None` for a value below zero.
    fn start(&self, value: f64) -> Option<usize> {
        let exponent = (value.to_bits() >> 52) as usize;
        if exponent >= Self::SIGN {
            return None;
        }
        Some(match exponent.checked_sub(self.first) {
            Some(place) => self.starts.get(place).map_or(self.all, |start| usize::from(*start)),
            None => self.negative,
        })
    }
}

/// Which metric has which buckets.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) exact: Vec<(String, Arc<Buckets>)>,
    pub(crate) suffix: Vec<(String, Arc<Buckets>)>,
    /// What the names of metrics with native buckets end in.
    pub(crate) native: Vec<String>,
    pub(crate) sizes: Arc<Buckets>,
    pub(crate) connections: Arc<Buckets>,
    pub(crate) default: Arc<Buckets>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            exact: Vec::new(),
            suffix: Vec::new(),
            native: vec!["_seconds".to_owned()],
            sizes: Arc::new(Buckets::of(&SIZE)),
            connections: Arc::new(Buckets::of(&CONNECTION)),
            default: Arc::new(Buckets::of(&DURATION)),
        }
    }
}

impl Rules {
    /// Whether a metric has native buckets beside these.
    pub(crate) fn is_native(&self, raw: &str, name: &str) -> bool {
        self.native.iter().any(|suffix| raw.ends_with(suffix) || name.ends_with(suffix))
    }

    /// The buckets of a metric, by the name its code gives (`raw`) or the name on the page. The
    /// full name wins over a suffix, a longer suffix over a shorter one, a later rule over an
    /// earlier one.
    pub(crate) fn find(&self, raw: &str, name: &str) -> &Arc<Buckets> {
        let exact = self.exact.iter().rev().find(|(rule, _)| rule == raw || rule == name);
        let fits = |suffix: &str| raw.ends_with(suffix) || name.ends_with(suffix);
        let suffix =
            || self.suffix.iter().filter(|(suffix, _)| fits(suffix)).max_by_key(|(suffix, _)| suffix.len());
        match exact.or_else(suffix) {
            Some((_, buckets)) => buckets,
            None if ["_size_bytes", ".size"].into_iter().any(fits) => &self.sizes,
            None if ["_connection_duration_seconds", ".connection.duration"].into_iter().any(fits) => {
                &self.connections
            }
            None => &self.default,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_bounds_are_named() {
        let error = |bounds: &[f64]| Buckets::new(bounds).unwrap_err();
        assert_eq!(error(&[]), BucketsError::Empty);
        assert_eq!(error(&[1.0; 65]), BucketsError::TooMany { count: 65 });
        assert_eq!(error(&[1.0, 1.0]), BucketsError::NotIncreasing { index: 1, value: 1.0 });
        assert_eq!(error(&[2.0, 1.0]), BucketsError::NotIncreasing { index: 1, value: 1.0 });
        assert_eq!(error(&[1.0, f64::INFINITY]), BucketsError::NotFinite { index: 1, value: f64::INFINITY });
        assert!(matches!(error(&[f64::NAN]), BucketsError::NotFinite { index: 0, .. }));
    }

    #[test]
    fn the_defaults_are_valid() {
        assert!(Buckets::new(&DURATION).is_ok());
        assert!(Buckets::new(&SIZE).is_ok());
        assert!(Buckets::new(&CONNECTION).is_ok());
    }

    #[test]
    fn every_value_finds_its_bucket() {
        let lists: [&[f64]; 7] = [
            &DURATION,
            &SIZE,
            &[-10.0, -1.0, 0.0, 0.001, 1e300],
            &[-2.0, -1.0],
            &[0.0],
            &[f64::MIN_POSITIVE / 8.0, 1.0, 1.1, 1.2, 1.999, 2.0, 3.0],
            &[1e-5],
        ];
        for bounds in lists {
            let buckets = Buckets::new(bounds).unwrap();
            let near =
                |value: f64| [value, value.next_up(), value.next_down(), -value, value * 2.0, value * 0.7];
            let values = bounds.iter().chain(&[0.0, 1e-310, f64::MAX, 5.0]).flat_map(|value| near(*value));
            for value in values.filter(|value| value.is_finite()) {
                let expected = bounds.iter().filter(|bound| **bound < value).count();
                assert_eq!(buckets.position(value), expected, "{value} in {bounds:?}");
            }
        }
    }

    #[test]
    fn le_is_written_as_each_format_wants() {
        let buckets = Buckets::new(&[-0.0, 0.005, 1.0, 1_048_576.0]).unwrap();
        assert_eq!(
            buckets.labels(false).concat(),
            r#"le="0"} le="0.005"} le="1"} le="1.048576e+06"} le="+Inf"} "#
        );
        assert_eq!(
            buckets.labels(true).concat(),
            r#"le="0.0"} le="0.005"} le="1.0"} le="1.048576e+06"} le="+Inf"} "#
        );
    }

    #[test]
    fn the_most_precise_rule_wins() {
        let buckets = |bound: f64| Arc::new(Buckets::new(&[bound]).unwrap());
        let rules = Rules {
            exact: vec![("job.wait".into(), buckets(1.0)), ("job_run_ms".into(), buckets(2.0))],
            suffix: vec![("_ms".into(), buckets(3.0)), ("_wait_ms".into(), buckets(4.0))],
            ..Rules::default()
        };
        let first = |raw, name| number::bound(rules.find(raw, name).bounds()[0]);
        assert_eq!(first("job.wait", "job_wait_seconds"), "1");
        assert_eq!(first("job.run", "job_run_ms"), "2");
        assert_eq!(first("x_ms", "x_ms"), "3");
        assert_eq!(first("x_wait_ms", "x_wait_ms"), "4");
        assert_eq!(first("http.body.size", "http_body_size"), "0");
        assert_eq!(first("http_response_size_bytes", "http_response_size_bytes"), "0");
        assert_eq!(first("other", "other"), "0.005");
    }
}
