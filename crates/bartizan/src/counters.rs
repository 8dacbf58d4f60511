//! The stack's own counters on the metrics page: every bound that was hit can be seen there.

use bartizan_log::LogWriter;
use bartizan_mask::Masker;
use bartizan_metrics::{ExternalError, Store};
use bartizan_trace::{Tracing, propagation};

pub(crate) fn register(
    store: &Store,
    masker: &Masker,
    writer: &LogWriter,
    tracing: &Tracing,
) -> Result<(), ExternalError> {
    let counter = |name: &str, help: &str, read: fn() -> u64| store.external_counter(name, help, read);
    counter(
        "bartizan_correlation_ids_replaced_total",
        "Incoming correlation ids that were hostile, repeated or not trusted.",
        bartizan_correlation::ids_replaced_total,
    )?;
    counter(
        "bartizan_bound_fields_dropped_total",
        "Fields that were refused, or cut, when they were bound to a request.",
        bartizan_core::bound_fields_dropped_total,
    )?;
    #[cfg(feature = "serve")]
    counter(
        "bartizan_connections_stalled_total",
        "Connections that were closed because the head of a request did not come.",
        bartizan_health::connections_stalled_total,
    )?;
    counter("bartizan_panics_total", "Panics in this process.", bartizan_log::panics_total)?;
    counter(
        "bartizan_log_lines_truncated_total",
        "Log lines that were cut at their bound.",
        bartizan_log::lines_truncated_total,
    )?;
    counter(
        "bartizan_bodies_truncated_total",
        "Captured bodies that are shown in part only.",
        bartizan_log::bodies_truncated_total,
    )?;
    counter(
        "bartizan_bodies_refused_total",
        "Bodies that were not captured to the end because all those being captured had the room there is.",
        bartizan_log::bodies_refused_total,
    )?;
    store.external_gauge("bartizan_captured_bytes", "Memory that bodies being captured hold.", || {
        bartizan_log::captured_bytes() as f64
    })?;
    counter(
        "bartizan_trace_contexts_rejected_total",
        "Requests whose traceparent was malformed: their traces started anew.",
        || propagation::counts().rejected_contexts,
    )?;
    counter(
        "bartizan_trace_members_dropped_total",
        "Members of tracestate and baggage that were malformed or past a limit.",
        || propagation::counts().dropped_members,
    )?;

    let (dropped, failed) = (writer.clone(), writer.clone());
    store.external_counter(
        "bartizan_log_lines_dropped_total",
        "Log lines that found no room to wait in.",
        move || dropped.lines_dropped_total(),
    )?;
    store.external_counter(
        "bartizan_log_write_errors_total",
        "Writes that the log's sink refused.",
        move || failed.write_errors_total(),
    )?;
    let (fields, placeholders) = (masker.clone(), masker.clone());
    store.external_counter("bartizan_masked_fields_total", "Values that were masked.", move || {
        fields.masked_total()
    })?;
    store.external_counter(
        "bartizan_body_placeholders_total",
        "Captured bodies that a placeholder stands for.",
        move || placeholders.placeholders_total(),
    )?;
    for (name, help, read) in [
        ("bartizan_spans_exported_total", "Spans that the collector took.", 0),
        ("bartizan_spans_failed_total", "Spans that the collector did not take.", 1),
        ("bartizan_spans_dropped_total", "Spans that found no room in the queue.", 2),
    ] {
        let counts = tracing.counts_reader();
        store.external_counter(name, help, move || {
            let counts = counts();
            [counts.exported, counts.failed, counts.dropped][read]
        })?;
    }
    let counts = tracing.counts_reader();
    store.external_gauge("bartizan_spans_waiting", "Spans that wait to be exported.", move || {
        counts().waiting as f64
    })
}
