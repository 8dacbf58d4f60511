//! Timers: how long an operation took, and how it ended.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Instant;

use bartizan_core::Clock;
use metrics::{Histogram, Key, KeyName, Unit};

use super::builder::MetricBuilder;
use super::cache::{Cache, key};
use super::global::Metrics;
use super::labels::LabelSet;
use super::timed::Timed;
use crate::store::{Cell, Kind, MetricError, Store};

const OUTCOME: &str = "outcome";

/// Measures one operation, from its making to its end, in a histogram of seconds with the label `outcome`:
///
/// | `outcome` | when |
/// |---|---|
/// | `success` | [`success`](Self::success), or an `Ok` |
/// | `error` | [`error`](Self::error), or an `Err`; or dropped by a panic |
/// | `dropped` | dropped without a word: an early return, or a future that was cancelled |
///
/// The series of `success` and `error` are there from the first timer on, so that an error rate is zero before it is anything else.
///
/// ```
/// use bartizan_metrics::{Metrics, Store};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = Store::new();
/// let metrics = Metrics::new(&store);
///
/// // A function or a future that says how it went.
/// let sum = metrics.time("sum", &()).call(|| Ok::<_, ()>(1 + 1));
/// let refused = metrics.time("connect", &[("to", "cache")]).run(async { Err::<(), _>("refused") }).await;
///
/// // Or by hand.
/// let timer = metrics.time("upload", &());
/// timer.success();
///
/// let page = String::from_utf8(store.page(&http::HeaderMap::new()).body.to_vec()).unwrap();
/// assert!(page.contains(r#"connect_duration_seconds_count{outcome="error",to="cache"} 1"#));
/// # });
/// ```
#[must_use = "a timer that is dropped at once has measured nothing"]
pub struct Timer(Option<Running>);

struct Running {
    outcomes: Arc<Outcomes>,
    clock: Clock,
    started: Instant,
}

/// The series of one label set.
struct Outcomes {
    success: Histogram,
    error: Histogram,
    /// Made when it is needed.
    dropped: OnceLock<Histogram>,
    store: Store,
    dropped_key: Key,
}

impl Timer {
    pub(super) fn off() -> Self {
        Self(None)
    }

    /// The operation succeeded.
    pub fn success(self) {
        self.end(true);
    }

    /// The operation failed.
    pub fn error(self) {
        self.end(false);
    }

    /// The operation ended with this result, which is handed back.
    ///
    /// # Errors
    ///
    /// The operation's own.
    pub fn finish<T, E>(self, result: Result<T, E>) -> Result<T, E> {
        self.end(result.is_ok());
        result
    }

    /// Runs the operation, a function, and records its result.
    ///
    /// # Errors
    ///
    /// The operation's own.
    pub fn call<T, E>(self, operation: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let result = operation();
        self.finish(result)
    }

    /// Runs the operation, a future, and records its result, or that it was dropped.
    pub fn run<F, T, E>(self, future: F) -> Timed<F>
    where
        F: Future<Output = Result<T, E>>,
    {
        Timed::new(future, self)
    }

    fn end(mut self, success: bool) {
        if let Some(running) = self.0.take() {
            let outcomes = &running.outcomes;
            running.record(if success { &outcomes.success } else { &outcomes.error });
        }
    }
}

impl Running {
    fn record(&self, histogram: &Histogram) {
        histogram.record(self.clock.now().saturating_duration_since(self.started).as_secs_f64());
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let Some(running) = self.0.take() else { return };
        let outcomes = &running.outcomes;
        if std::thread::panicking() {
            running.record(&outcomes.error);
        } else {
            let make = || histogram(&outcomes.store, &outcomes.dropped_key);
            running.record(outcomes.dropped.get_or_init(make));
        }
    }
}

/// Durations of one operation by outcome and labels: what [`Metrics::timings`] registers. Clones share everything.
///
/// ```
/// use bartizan_metrics::{Metrics, Store};
///
/// let queries = Metrics::new(&Store::new())
///     .timings("db_query")
///     .help("Time that queries took.")
///     .buckets(&[0.001, 0.01, 0.1, 1.0])
///     .register()?;
/// queries.start(&[("table", "orders")]).success();
/// # Ok::<(), bartizan_metrics::MetricError>(())
/// ```
#[derive(Clone)]
pub struct Timings(Option<Arc<TimingsInner>>);

struct TimingsInner {
    store: Store,
    clock: Clock,
    name: KeyName,
    cache: Cache<Arc<Outcomes>>,
}

impl Timings {
    /// Begins to measure an operation with these labels.
    pub fn start(&self, labels: &(impl LabelSet + ?Sized)) -> Timer {
        let Some(inner) = &self.0 else { return Timer::off() };
        let outcomes = inner.cache.get_or_make(&labels, || inner.outcomes(&labels));
        Timer(Some(Running { outcomes, clock: inner.clock, started: inner.clock.now() }))
    }
}

impl TimingsInner {
    fn outcomes(&self, labels: &dyn LabelSet) -> (Arc<Outcomes>, bool) {
        let key = |outcome| key(&self.name, &[(OUTCOME, outcome)], labels);
        let (success, error) = (key("success"), key("error"));
        let outcomes = Outcomes {
            success: histogram(&self.store, &success),
            error: histogram(&self.store, &error),
            dropped: OnceLock::new(),
            store: self.store.clone(),
            dropped_key: key("dropped"),
        };
        (Arc::new(outcomes), self.store.has(&success) && self.store.has(&error))
    }
}

fn histogram(store: &Store, key: &Key) -> Histogram {
    match store.cell(key, Kind::Histogram) {
        Some(Cell::Histogram(cell)) => Histogram::from_arc(cell),
        _ => Histogram::noop(),
    }
}

/// Describes [`Timings`] and registers them.
#[must_use = "timings are registered by `register`"]
pub struct TimingsBuilder {
    store: Option<Store>,
    clock: Clock,
    name: KeyName,
    histogram: MetricBuilder<Histogram>,
}

impl TimingsBuilder {
    pub(super) fn new(store: Option<Store>, clock: Clock, name: &KeyName) -> Self {
        let name = full_name(name.as_str());
        let histogram = MetricBuilder::new(store.clone(), clock, name.clone())
            .unit(Unit::Seconds)
            .help("Time that the operation took, by its outcome.");
        Self { store, clock, name, histogram }
    }

    /// What is measured, in a sentence.
    pub fn help(mut self, help: &'static str) -> Self {
        self.histogram = self.histogram.help(help);
        self
    }

    /// The buckets, in seconds. Default: by the store's rules, 5 ms to 10 s.
    pub fn buckets(mut self, bounds: &[f64]) -> Self {
        self.histogram = self.histogram.buckets(bounds);
        self
    }

    /// How many series there may be; each label set has two, and a third once one was dropped.
    pub fn max_series(mut self, max: usize) -> Self {
        self.histogram = self.histogram.max_series(max);
        self
    }

    /// Registers them. The same ones may be registered again.
    ///
    /// # Errors
    ///
    /// As [`MetricBuilder::family`].
    pub fn register(self) -> Result<Timings, MetricError> {
        let Self { store, clock, name, histogram } = self;
        histogram.family()?;
        Ok(Timings(store.map(|store| Arc::new(TimingsInner { store, clock, name, cache: Cache::default() }))))
    }
}

/// The histogram's name: a name with dots is OpenTelemetry's, which gets its unit on the page.
fn full_name(name: &str) -> KeyName {
    if name.contains('.') || name.ends_with("_seconds") {
        return name.to_owned().into();
    }
    format!("{name}_duration_seconds").into()
}

/// Timings by the names that [`Metrics::time`] was given. What could not be registered is not kept, and is counted each time.
#[derive(Default)]
pub(super) struct TimerNames(RwLock<HashMap<Box<str>, Timings>>);

impl TimerNames {
    pub(super) fn start(&self, metrics: &Metrics, name: &str, labels: &(impl LabelSet + ?Sized)) -> Timer {
        if let Some(timings) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return timings.start(labels);
        }
        let builder = metrics.timings(name.to_owned());
        let (store, full) = (builder.store.clone(), builder.name.clone());
        if let Ok(timings) = builder.register() {
            let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
            return names.entry(name.into()).or_insert(timings).start(labels);
        }
        if let Some(store) = store {
            // Registering it the ordinary way says why not.
            store.registry().family(full.as_str(), Kind::Histogram);
        }
        Timer::off()
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("on", &self.0.is_some()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Timings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.as_ref().map(|inner| inner.name.as_str());
        f.debug_tuple("Timings").field(&name).finish()
    }
}

impl fmt::Debug for TimingsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimingsBuilder").field("name", &self.name.as_str()).finish_non_exhaustive()
    }
}
