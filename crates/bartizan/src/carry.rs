//! Taking a request's context along into other tasks.

use bartizan_core::{Carried, Context};
use bartizan_trace::opentelemetry::context::{FutureExt, WithContext};
use tokio::task::JoinHandle;
use tracing::instrument::{Instrument, Instrumented};

/// A future that takes the request, the trace and the current `tracing` span along: what [`carry`] returns.
pub type CarriedFuture<F> = Carried<WithContext<Instrumented<F>>>;

/// Keeps what is current now (the request's log fields, its trace and the `tracing` span) current in every poll of `future`, in
/// whatever task it runs.
///
/// ```
/// # async fn handler() {
/// let mut tasks = tokio::task::JoinSet::new();
/// tasks.spawn(bartizan::carry(async {
///     tracing::info!("has the correlation id and the trace id of the request");
/// }));
/// # }
/// ```
pub fn carry<F: Future>(future: F) -> CarriedFuture<F> {
    Context::current().carry(future.in_current_span().with_current_context())
}

/// [`tokio::spawn`] that [carries](carry) the request's context along.
///
/// ```
/// # async fn handler() {
/// bartizan::spawn(async {
///     tracing::info!("still belongs to the request");
/// });
/// # }
/// ```
///
/// # Panics
///
/// Outside a tokio runtime, as [`tokio::spawn`] does.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(carry(future))
}
