//! The form for people.

use bartizan_core::TraceIds;
use bartizan_log::{LogBuilder, LogFormat, LogLayer, LogWriter};
use bartizan_mask::Masker;
use std::time::Duration;
use tracing::{error, info, info_span, warn};
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{Memory, Trial};

const IDS: TraceIds = TraceIds { trace_id: [0xab; 16], span_id: [0xcd; 8], sampled: true };

fn console() -> Trial {
    Trial::new().with(|builder: LogBuilder| builder.format(LogFormat::Console))
}

#[test]
fn a_line_is_time_level_target_message_and_pairs() {
    let text = console().trace_ids(|| Some(IDS)).text(|| {
        info_span!("s", user = "ada lovelace").in_scope(|| {
            warn!(target: "app", rows = 3, file = "a.csv", password = "hunter2", "read \"it\" all");
        });
    });
    let (time, rest) = text.split_once(' ').unwrap();
    assert_eq!((time.len(), time.as_bytes()[8]), (12, b'.'), "{time}");
    let expected = " WARN app: read \"it\" all rows=3 file=a.csv password=[REDACTED] user=\"ada lovelace\" \
                    trace_id=abababab span_id=cdcdcdcd\n";
    assert_eq!(rest, expected);
}

#[test]
fn nothing_from_outside_moves_the_cursor_or_begins_a_line() {
    let hostile = "\u{1b}[2J\n10:00:00.000 ERROR forged: line\r\u{9b}1A";
    let text = console().text(|| {
        info!(a = hostile, b = ?hostile, backtrace = "frame 1\u{1b}[1A\nframe 2", "{hostile}");
    });
    assert!(!text.contains(['\u{1b}', '\r', '\u{9b}']), "{text:?}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(&lines[1..], ["    frame 1\\u001b[1A", "    frame 2"]);
}

#[test]
fn colours_are_there_when_asked_for() {
    let memory = Memory::default();
    let writer = LogWriter::new(memory.clone()).unwrap();
    let layer = LogLayer::console(writer.clone(), Masker::default(), true);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        error!(target: "app", a = 1, "oh");
    });
    assert!(writer.flush(Duration::from_secs(30)));
    let text = memory.text();
    let expected = "\u{1b}[0m \u{1b}[31mERROR\u{1b}[0m \u{1b}[2mapp:\u{1b}[0m oh \u{1b}[2ma=\u{1b}[0m1\n";
    assert!(text.starts_with("\u{1b}[2m") && text.ends_with(expected), "{text:?}");
}
