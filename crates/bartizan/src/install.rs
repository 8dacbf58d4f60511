//! What a process has once: its subscriber, its recorder, its panic hook.

use bartizan_log::{Log, LogGuard, PanicHook};
use bartizan_mask::Masker;
use bartizan_metrics::Store;
use bartizan_trace::Tracing;
use tracing_subscriber::layer::SubscriberExt;

use crate::error::InitError;

/// Installs them. An error if there is a subscriber or a recorder already.
pub(crate) fn install(
    log: Log,
    tracing: &Tracing,
    store: Option<&Store>,
    masker: &Masker,
) -> Result<LogGuard, InitError> {
    let (log_layer, guard) = log.into_layer();
    let subscriber =
        tracing_subscriber::registry().with(log_layer).with(tracing.tracer().map(bartizan_trace::span_layer));
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|_| InitError::Installed { what: "a tracing subscriber" })?;
    if let Some(store) = store {
        metrics::set_global_recorder(store.clone())
            .map_err(|_| InitError::Installed { what: "a metrics recorder" })?;
    }
    PanicHook::new(masker.clone()).flush(guard.writer().clone()).install();
    Ok(guard)
}
