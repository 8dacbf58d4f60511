//! A line for what takes too long.

#[cfg(feature = "sqlx")]
mod sqlx;

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::{Duration, Instant};

use bartizan_core::Clock;
use bartizan_mask::Masker;
use pin_project_lite::pin_project;

#[cfg(feature = "sqlx")]
pub use self::sqlx::sqlx_slow_statements;

/// Times a future or a closure, and logs it if it takes too long.
///
/// The event is a `WARN`, target `bartizan::slow`, message `slow operation`, with `operation`, `duration_ms`, `threshold_ms`, and
/// `db.statement` where there is one: without its literals, cut at 200 characters ([`Masker::sql`]). A future that is dropped before it
/// is done, by a timeout say, and a block that panics are logged too, with `completed` `false`. What is fast costs two readings of the
/// clock.
///
/// ```
/// use bartizan_log::SlowOperation;
/// use std::time::Duration;
///
/// # async fn query(_: &str) -> u64 { 3 }
/// # async fn example() {
/// let sql = "SELECT count(*) FROM orders WHERE customer = 'ada'";
/// let count = SlowOperation::new("count orders").statement(sql).run(query(sql)).await;
/// # let _ = count;
/// # }
///
/// let sum = SlowOperation::new("sum").threshold(Duration::from_millis(50)).call(|| 1 + 2);
/// assert_eq!(sum, 3);
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is timed until something runs in it"]
pub struct SlowOperation<'a> {
    name: Cow<'a, str>,
    statement: Option<Statement<'a>>,
    threshold: Duration,
    masker: Option<Masker>,
    clock: Clock,
}

/// An SQL statement, which is not for `Debug`.
#[derive(Clone)]
struct Statement<'a>(Cow<'a, str>);

impl std::fmt::Debug for Statement<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("..")
    }
}

impl<'a> SlowOperation<'a> {
    /// From which duration on an operation is slow, by default: one second.
    pub const DEFAULT_THRESHOLD: Duration = Duration::from_secs(1);

    /// An operation of this name.
    pub fn new(name: impl Into<Cow<'a, str>>) -> Self {
        Self {
            name: name.into(),
            statement: None,
            threshold: Self::DEFAULT_THRESHOLD,
            masker: None,
            clock: Clock::default(),
        }
    }

    /// The SQL statement that it runs.
    pub fn statement(mut self, sql: impl Into<Cow<'a, str>>) -> Self {
        self.statement = Some(Statement(sql.into()));
        self
    }

    /// From which duration on it is slow. Default: [`DEFAULT_THRESHOLD`](Self::DEFAULT_THRESHOLD).
    pub fn threshold(mut self, threshold: Duration) -> Self {
        self.threshold = threshold;
        self
    }

    /// What masks the statement, and counts what it masks. Default: one of its own.
    pub fn masker(mut self, masker: Masker) -> Self {
        self.masker = Some(masker);
        self
    }

    /// The clock that measures. Default: the system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Runs a future, timed from its first poll on.
    pub fn run<F: Future>(self, future: F) -> SlowFuture<'a, F> {
        SlowFuture { future, state: State::New(Some(self)) }
    }

    /// Runs a closure.
    pub fn call<T>(self, work: impl FnOnce() -> T) -> T {
        let mut timed = Timed::new(self);
        let done = work();
        timed.completed = true;
        done
    }

    fn log(&self, duration: Duration, completed: bool) {
        let statement = self.statement.as_ref().map(|Statement(sql)| {
            static OWN: LazyLock<Masker> = LazyLock::new(Masker::default);
            let mut shown = String::new();
            // Writing to a string does not fail.
            let _ = self.masker.as_ref().unwrap_or(&OWN).sql(sql, &mut shown);
            shown
        });
        tracing::warn!(
            target: "bartizan::slow",
            operation = &*self.name,
            duration_ms = milliseconds(duration),
            threshold_ms = milliseconds(self.threshold),
            completed = (!completed).then_some(false),
            db.statement = statement,
            "slow operation"
        );
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

/// An operation under way. Logs it, if it was slow, when it is dropped.
#[derive(Debug)]
struct Timed<'a> {
    operation: SlowOperation<'a>,
    started: Instant,
    completed: bool,
}

impl<'a> Timed<'a> {
    fn new(operation: SlowOperation<'a>) -> Self {
        Self { started: operation.clock.now(), operation, completed: false }
    }
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        let duration = self.operation.clock.now().saturating_duration_since(self.started);
        if duration >= self.operation.threshold {
            self.operation.log(duration, self.completed);
        }
    }
}

#[derive(Debug)]
enum State<'a> {
    New(Option<SlowOperation<'a>>),
    Running(Timed<'a>),
    Done,
}

pin_project! {
    /// A future that is timed: what [`SlowOperation::run`] returns.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are polled"]
    pub struct SlowFuture<'a, F> {
        #[pin]
        future: F,
        state: State<'a>,
    }
}

impl<F: Future> Future for SlowFuture<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let State::New(operation) = this.state
            && let Some(operation) = operation.take()
        {
            *this.state = State::Running(Timed::new(operation));
        }
        let done = ready!(this.future.poll(cx));
        if let State::Running(timed) = this.state {
            timed.completed = true;
        }
        *this.state = State::Done;
        Poll::Ready(done)
    }
}
