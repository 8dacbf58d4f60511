//! A check: a named question with an async answer.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use tokio::{runtime::Handle, sync::oneshot};

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

    /// Whether what is asked is outside of this process, such as a database. It is then refused as part of
    /// [liveness](crate::CheckOptions::liveness). Default false, as nobody knows of a closure.
    fn is_dependency(&self) -> bool {
        false
    }

    /// Whether a run may be dropped at any `await`. It then is when it has timed out, as if
    /// [`CheckOptions::cancel_on_timeout`](crate::CheckOptions::cancel_on_timeout) said so. Default false.
    fn is_cancel_safe(&self) -> bool {
        false
    }
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
/// Each run has a thread of its own, so that a function that hangs or deadlocks takes nothing from the
/// runtime, neither a worker nor a place in the blocking pool, and does not hold up its shutdown. It holds
/// that one thread: as long as it has not returned, it is not called again. The function may use
/// `tokio::runtime::Handle::current()`.
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
    Blocking { function: Arc::new(function), busy: Arc::default() }
}

/// The [`Check`] that [`blocking`] makes.
pub struct Blocking<F> {
    function: Arc<F>,
    busy: Arc<AtomicBool>,
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
        on_thread(&self.busy, move || function().into_health()).await
    }
}

/// Runs the function on a thread of its own, unless the one before has not returned.
pub(crate) async fn on_thread(
    busy: &Arc<AtomicBool>,
    function: impl FnOnce() -> Health + Send + 'static,
) -> Health {
    if busy.swap(true, Ordering::AcqRel) {
        return Health::unhealthy("the run before still holds its thread");
    }
    let (sender, result) = oneshot::channel();
    let (held, runtime) = (Arc::clone(busy), Handle::current());
    let run = move || {
        let _context = runtime.enter();
        let health = catch_unwind(AssertUnwindSafe(function));
        held.store(false, Ordering::Release);
        // Nobody may be waiting any more.
        let _ = sender.send(health);
    };
    if let Err(error) = thread::Builder::new().name("health-check".into()).spawn(run) {
        busy.store(false, Ordering::Release);
        return Health::unhealthy(format!("no thread for the check: {error}"));
    }
    match result.await {
        Ok(Ok(health)) => health,
        Ok(Err(panic)) => resume_unwind(panic),
        Err(_) => Health::unhealthy("the check's thread ended early"),
    }
}

/// [`Check`] in a form that can be kept in a list; the box is paid once a run.
pub(crate) trait DynCheck: Send + Sync {
    fn is_cancel_safe(&self) -> bool;

    fn run(&self) -> Pin<Box<dyn Future<Output = Health> + Send + '_>>;
}

impl<C: Check> DynCheck for C {
    fn is_cancel_safe(&self) -> bool {
        Check::is_cancel_safe(self)
    }

    fn run(&self) -> Pin<Box<dyn Future<Output = Health> + Send + '_>> {
        Box::pin(self.check())
    }
}
