//! Where the time comes from.

use std::time::Instant;

/// The clock that measures exchanges: the system's monotonic clock, or a test's.
///
/// With a paused tokio clock a test hands in tokio's notion of now and needs no sleeps:
///
/// ```
/// use bartizan_core::Clock;
///
/// let system = Clock::default();
/// let paused = Clock::new(|| tokio::time::Instant::now().into_std());
/// assert!(system.now() <= system.now());
/// # let _ = paused;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Clock(fn() -> Instant);

impl Clock {
    /// A clock that reads `now`.
    pub fn new(now: fn() -> Instant) -> Self {
        Self(now)
    }

    /// The present moment.
    #[inline]
    pub fn now(self) -> Instant {
        (self.0)()
    }
}

impl Default for Clock {
    /// [`Instant::now`].
    fn default() -> Self {
        Self(Instant::now)
    }
}
