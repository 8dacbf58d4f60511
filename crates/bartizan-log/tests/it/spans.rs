//! Fields of spans, and the ids of a trace.

use bartizan_core::TraceIds;
use serde_json::json;
use tracing::field::Empty;
use tracing::{Level, debug_span, error_span, info, info_span, span};

use crate::support::{Trial, line, lines};

const IDS: TraceIds = TraceIds { trace_id: [0xab; 16], span_id: [0xcd; 8], sampled: true };

#[test]
fn an_event_has_the_fields_of_its_spans_and_the_innermost_counts() {
    let line = line(|| {
        let _outer = info_span!("outer", outer = 1, both = "outer", all = "outer").entered();
        let _inner = info_span!("inner", inner = 2, both = "inner", all = "inner").entered();
        info!(all = "event", "hi");
    });
    assert_eq!((&line["outer"], &line["inner"]), (&json!(1), &json!(2)));
    assert_eq!((&line["both"], &line["all"]), (&json!("inner"), &json!("event")));
}

#[test]
fn what_is_recorded_later_counts_from_then_on() {
    let lines = lines(|| {
        let span = info_span!("s", rows = Empty, state = "new").entered();
        info!("before");
        span.record("rows", 7).record("state", "done");
        info!("after");
        drop(span);
        info!("outside");
    });
    assert!(!lines[0].contains_key("rows"));
    assert_eq!((&lines[0]["state"], &lines[1]["state"]), (&json!("new"), &json!("done")));
    assert_eq!(lines[1]["rows"], 7);
    assert!(!lines[2].contains_key("state"));
}

#[test]
fn span_fields_are_masked_also_when_recorded_later() {
    let text = Trial::new().text(|| {
        let span = info_span!("s", password = "hunter2", note = "token=hunter2", secret = Empty).entered();
        info!("one");
        span.record("secret", "hunter2");
        info!("two");
    });
    assert!(!text.contains("hunter2"), "{text}");
    assert_eq!(text.matches("[REDACTED]").count(), 5, "{text}");
}

#[test]
fn span_fields_with_reserved_names_get_a_prefix() {
    let line = line(|| {
        info_span!("s", level = "high", message = "span's", trace_id = "forged")
            .in_scope(|| info!("event's"));
    });
    assert_eq!((&line["level"], &line["message"]), (&json!("INFO"), &json!("event's")));
    assert_eq!((&line["field.level"], &line["field.trace_id"]), (&json!("high"), &json!("forged")));
    assert_eq!(line["field.message"], "span's");
}

#[test]
fn explicit_parents_count_and_filtered_spans_do_not() {
    let lines = Trial::new().with(|builder| builder.filter("info")).lines(|| {
        let span = error_span!("s", of = "span");
        info!(parent: &span, "child");
        let _entered = span.enter();
        info!(parent: None, "root");
        debug_span!("hidden", hidden = 1).in_scope(|| info!("inside"));
    });
    assert_eq!(lines[0]["of"], "span");
    assert!(!lines[1].contains_key("of"));
    assert!(lines[2].contains_key("of") && !lines[2].contains_key("hidden"));
}

#[test]
fn deep_and_wide_spans_keep_a_line_bounded_and_the_ids_on_it() {
    let lines = Trial::new().trace_ids(|| Some(IDS)).lines(|| {
        let long = "\u{1}".repeat(5000);
        let spans: Vec<_> = (0..50)
            .map(|n| match n % 3 {
                0 => span!(Level::INFO, "s", a = %long, b0 = n).entered(),
                1 => span!(Level::INFO, "s", c = ?long, b1 = n).entered(),
                _ => span!(Level::INFO, "s", d = long, b2 = n).entered(),
            })
            .collect();
        info!(e = long, f = long, g = long, h = long, "deep");
        spans.into_iter().rev().for_each(drop);
    });
    assert_eq!(lines[0]["trace_id"], "ab".repeat(16));
    assert_eq!(lines[0]["span_id"], "cd".repeat(8));
}

#[test]
fn the_hook_gives_the_ids_also_outside_of_a_request() {
    assert_eq!(Trial::new().trace_ids(|| Some(IDS)).line(|| info!("hi"))["trace_id"], "ab".repeat(16));
    assert!(!Trial::new().trace_ids(|| None).line(|| info!("hi")).contains_key("trace_id"));
}

#[test]
fn two_layers_with_different_maskers_each_have_their_own_view() {
    use crate::support::{Memory, read_lines};
    use bartizan_log::{LogLayer, LogWriter};
    use bartizan_mask::Masker;
    use std::time::Duration;
    use tracing_subscriber::layer::SubscriberExt;

    let (strict, lax) = (Memory::default(), Memory::default());
    let lax_masker = Masker::builder().replace_names(["iban"]).build().unwrap();
    let writers = [LogWriter::new(strict.clone()).unwrap(), LogWriter::new(lax.clone()).unwrap()];
    let subscriber = tracing_subscriber::registry()
        .with(LogLayer::json(writers[0].clone(), Masker::builder().name("iban").build().unwrap()))
        .with(LogLayer::json(writers[1].clone(), lax_masker));
    tracing::subscriber::with_default(subscriber, || {
        let span = info_span!("s", password = "p", iban = "i", later = Empty).entered();
        span.record("later", 1);
        info!("hi");
    });
    assert!(writers.iter().all(|writer| writer.flush(Duration::from_secs(30))));
    assert_eq!(read_lines(&strict.text())[0]["password"], "[REDACTED]");
    assert_eq!(read_lines(&lax.text())[0]["password"], "p");
    assert_eq!(read_lines(&lax.text())[0]["iban"], "[REDACTED]");
    assert_eq!(read_lines(&lax.text())[0]["later"], 1);
}
