//! The start of a service: its startup checks, until they pass or it is too late.
//!
//! ```
//! use std::time::Duration;
//! use bartizan_health::{CheckOptions, Registry, Startup};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new();
//! let options = CheckOptions::new().startup(true);
//! registry.register_with("database", || async { Ok::<_, std::io::Error>(()) }, options.clone())?;
//! registry.start(Startup::new()).await?; // and now open the listener
//! assert!(registry.is_started());
//!
//! registry.register_with("broker", || async { Err::<(), _>("no route to amqp://app:hunter2@broker") }, options)?;
//! let error = registry.start(Startup::new().deadline(Duration::from_secs(10))).await.unwrap_err();
//! assert_eq!(error.check, "broker");
//! assert!(error.to_string().contains("no route to amqp://[REDACTED]@broker"));
//! # Ok(())
//! # }
//! ```
//!
//! # Before the listener, or behind a probe
//!
//! Awaited before the listener is bound, [`Registry::start`] keeps everybody out: connections are refused, and on failure the
//! process ends. Spawned beside the server it keeps traffic out by the probes: `/health/startup` and `/health/ready` are 503
//! and gRPC health is NOT_SERVING until the checks have passed, while liveness is 200 at once. Choose that where the
//! platform wants the port open early.
//!
//! # Order, limits, failure
//!
//! Checks with [`CheckOptions::startup`](crate::CheckOptions::startup) run all at once, each with its own timeout, and
//! have passed when none that is critical is unhealthy. If not, they run again after a pause that doubles from 100 ms to
//! 5 s. Each pause is drawn between its half and its whole, so that a fleet that starts together does not knock together.
//! Towards the deadline pauses get shorter, as half of the time that is left is the longest; a check that runs at the deadline
//! is not waited for. Without any startup check it passes at once.

use std::{process::ExitCode, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};

use crate::{CheckReport, Group, Registry, Report, Status};

/// How startup checks are repeated, for [`Registry::start`].
///
/// ```
/// use std::time::Duration;
/// use bartizan_health::Startup;
///
/// let startup = Startup::new()
///     .deadline(Duration::from_secs(120))
///     .backoff(Duration::from_millis(50), Duration::from_secs(10));
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Startup {
    deadline: Duration,
    first: Duration,
    longest: Duration,
}

impl Startup {
    /// A deadline of 60 seconds, pauses from 100 milliseconds to 5 seconds.
    pub fn new() -> Self {
        let (first, longest) = (Duration::from_millis(100), Duration::from_secs(5));
        Self { deadline: Duration::from_mins(1), first, longest }
    }

    /// How long the checks have to pass. Default 60 s. Zero: one attempt, which may take as long as the checks' timeouts.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The first pause between two attempts and the longest; each is twice the one before. Default 100 ms and 5 s; at least a
    /// millisecond.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.first = first.max(Duration::from_millis(1));
        self.longest = longest.max(self.first);
        self
    }
}

impl Default for Startup {
    fn default() -> Self {
        Self::new()
    }
}

/// A startup check that has not passed in time: which one, and what it last said.
///
/// As the error of `main` it ends the process with code 1. [`exit_code`](Self::exit_code) tells a supervisor more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the startup check `{check}`{} has not passed within {waited:.1?} ({attempts} {}): {message}",
    and_others(*others),
    if *attempts == 1 { "attempt" } else { "attempts" }
)]
#[non_exhaustive]
pub struct StartupError {
    /// The first check that is unhealthy, in the order of registration.
    pub check: String,
    /// What it last said, redacted and at most 256 characters long; `unhealthy` if it said nothing.
    pub message: String,
    /// How many more checks were unhealthy.
    pub others: usize,
    /// How often the checks were run.
    pub attempts: u32,
    /// How long it took in all.
    pub waited: Duration,
}

fn and_others(others: usize) -> String {
    if others == 0 { String::new() } else { format!(" (and {others} more)") }
}

impl StartupError {
    /// The code that a process should end with whose startup checks have not passed: 69, `EX_UNAVAILABLE` of `sysexits.h`.
    pub const EXIT_CODE: u8 = 69;

    /// [`EXIT_CODE`](Self::EXIT_CODE) for `main` to return.
    ///
    /// ```
    /// use std::process::ExitCode;
    /// use bartizan_health::{Registry, Startup};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async
    /// fn main() -> ExitCode {
    ///     let registry = Registry::new();
    ///     if let Err(error) = registry.start(Startup::new()).await {
    ///         eprintln!("{error}");
    ///         return error.exit_code();
    ///     }
    ///     ExitCode::SUCCESS
    /// }
    /// ```
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(Self::EXIT_CODE)
    }

    fn new(report: &Report, attempts: u32, waited: Duration) -> Self {
        let mut failed = report.checks.iter().filter(|check| counts(check));
        let first = failed.next();
        Self {
            check: first.map_or_else(String::new, |check| (*check.name).to_owned()),
            message: first.and_then(|check| check.message.as_deref()).unwrap_or("unhealthy").to_owned(),
            others: failed.count(),
            attempts,
            waited,
        }
    }
}

fn counts(check: &CheckReport) -> bool {
    check.counted() == Status::Unhealthy
}

impl Registry {
    /// Runs the startup checks until they pass; readiness is 503 until then. See the [module](crate::startup).
    ///
    /// # Errors
    ///
    /// [`StartupError`] if they have not passed at the deadline. Readiness stays 503.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its timer enabled, when it is polled.
    pub fn start(&self, startup: Startup) -> impl Future<Output = Result<(), StartupError>> + Send + use<> {
        // At once, so that no probe is faster than a task that was spawned.
        self.hold();
        let registry = self.clone();
        async move {
            let began = Instant::now();
            let deadline = began + startup.deadline;
            let mut pause = startup.first;
            let mut attempts = 0;
            loop {
                attempts += 1;
                let report = registry.attempt((!startup.deadline.is_zero()).then_some(deadline)).await;
                if report.status < Status::Unhealthy {
                    registry.release();
                    return Ok(());
                }
                let error = StartupError::new(&report, attempts, began.elapsed());
                let left = deadline.saturating_duration_since(Instant::now());
                if left < startup.first {
                    tracing::error!(
                        check = error.check,
                        reason = error.message,
                        attempts,
                        exit_code = StartupError::EXIT_CODE,
                        "a startup check has not passed in time"
                    );
                    return Err(error);
                }
                let again = jittered(pause).min(left / 2);
                tracing::warn!(
                    check = error.check,
                    reason = error.message,
                    attempt = attempts,
                    again_in_ms = again.as_millis() as u64,
                    "a startup check has not passed"
                );
                sleep(again).await;
                pause = pause.saturating_mul(2).min(startup.longest);
            }
        }
    }

    /// One run of all startup checks, each up to its own timeout, but not past the deadline.
    async fn attempt(&self, deadline: Option<Instant>) -> Report {
        let run = self.run_now(Group::Startup);
        match deadline {
            // Too late is no failure of its own: the report says what is known.
            Some(deadline) => _ = timeout_at(deadline, run).await,
            None => run.await,
        }
        self.last_report(Group::Startup)
    }
}

/// Between the half and the whole.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(fastrand::f64().mul_add(0.5, 0.5))
}

#[cfg(test)]
mod tests;
