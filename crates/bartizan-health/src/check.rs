//! A check: a named question with an async answer.

use std::{fmt, future::Future, panic, pin::Pin, sync::Arc};

use crate::{Health, IntoHealth};

/// Something whose health can be asked.
///
/// A closure `|| async { .. }` that returns an [`IntoHealth`] is a check, so most services never write
/// an `impl`. A type with state implements the trait:
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicUsize, Ordering}};
/// use bartizan_health::{Check, Health, Registry};
///
/// struct QueueDepth(Arc<AtomicUsize>);
///
/// impl Check for QueueDepth {
///     async fn check(&self) -> Health {
///         match self.0.load(Ordering::Relaxed) {
///             0..1000 => Health::healthy(),
///             depth => Health::degraded(format!("{depth} jobs waiting")),
///         }
///     }
/// }
///
/// let registry = Registry::new();
/// registry.register("queue", QueueDepth(Arc::default()))?;
/// # Ok::<_, bartizan_health::HealthError>(())
/// ```
///
/// # Blocking
///
/// Each run has a task of its own, so a check that blocks its thread delays neither the other checks nor
/// the answer as long as the runtime has another worker thread. Do not rely on that: wrap blocking work
/// in [`blocking`].
pub trait Check: Send + Sync + 'static {
    /// Asks once. The registry applies the timeout and catches a panic.
    fn check(&self) -> impl Future<Output = Health> + Send;
}

impl<F, Fut> Check for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoHealth> + Send,
{
    async fn check(&self) -> Health {
        self().await.into_health()
    }
}

/// Makes a check of a function that blocks its thread: file systems, FFI, synchronous clients.
///
/// It runs on tokio's blocking pool. As a run that timed out is never started a second time, a function
/// that hangs holds one thread of that pool, not one for each probe.
///
/// ```
/// use bartizan_health::{Registry, blocking};
///
/// let registry = Registry::new();
/// registry.register("data-dir", blocking(|| std::fs::metadata(".").map(drop)))?;
/// # Ok::<_, bartizan_health::HealthError>(())
/// ```
pub fn blocking<F, T>(function: F) -> Blocking<F>
where
    F: Fn() -> T + Send + Sync + 'static,
    T: IntoHealth,
{
    Blocking { function: Arc::new(function) }
}

/// The [`Check`] that [`blocking`] makes.
pub struct Blocking<F> {
    function: Arc<F>,
}

impl<F> fmt::Debug for Blocking<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").finish_non_exhaustive()
    }
}

impl<F, T> Check for Blocking<F>
where
    F: Fn() -> T + Send + Sync + 'static,
    T: IntoHealth,
{
    async fn check(&self) -> Health {
        let function = Arc::clone(&self.function);
        match tokio::task::spawn_blocking(move || function().into_health()).await {
            Ok(health) => health,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => panic::resume_unwind(panic),
                Err(_) => Health::unhealthy("the runtime is shutting down"),
            },
        }
    }
}

/// [`Check`] in a form that can be kept in a list; the box is paid once a run.
pub(crate) trait DynCheck: Send + Sync {
    fn run(&self) -> Pin<Box<dyn Future<Output = Health> + Send + '_>>;
}

impl<C: Check> DynCheck for C {
    fn run(&self) -> Pin<Box<dyn Future<Output = Health> + Send + '_>> {
        Box::pin(self.check())
    }
}
