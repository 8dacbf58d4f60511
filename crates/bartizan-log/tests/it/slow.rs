//! Slow operations.

use std::time::Duration;

use bartizan_core::Clock;
use bartizan_log::SlowOperation;
use serde_json::json;
use tokio::time::sleep;

use crate::support::Trial;

fn operation(name: &str) -> SlowOperation<'_> {
    SlowOperation::new(name).clock(Clock::new(|| tokio::time::Instant::now().into_std()))
}

#[test]
fn what_takes_longer_than_the_threshold_warns_with_its_masked_statement() {
    let lines = Trial::new().lines_of(async {
        assert_eq!(operation("fast").run(async { 1 }).await, 1);
        let sql = "SELECT * FROM users WHERE mail = 'hunter2'";
        operation("slow").statement(sql).run(sleep(Duration::from_millis(1500))).await;
        let patient = operation("patient").threshold(Duration::from_secs(2));
        patient.run(sleep(Duration::from_millis(1500))).await;
        operation("at once").threshold(Duration::ZERO).call(|| ());
    });
    let names: Vec<_> = lines.iter().map(|line| line["operation"].as_str().unwrap()).collect();
    assert_eq!(names, ["slow", "at once"]);
    let line = &lines[0];
    assert_eq!((&line["level"], &line["target"]), (&json!("WARN"), &json!("bartizan::slow")));
    assert_eq!(line["message"], "slow operation");
    assert_eq!((&line["duration_ms"], &line["threshold_ms"]), (&json!(1500.0), &json!(1000.0)));
    assert_eq!(line["db.statement"], "SELECT * FROM users WHERE mail = ?");
    assert!(!line.contains_key("completed") && !lines[1].contains_key("db.statement"));
}

#[test]
fn what_is_given_up_or_panics_is_logged_too() {
    let lines = Trial::new().lines_of(async {
        let slow = operation("given up").run(sleep(Duration::from_hours(1)));
        assert!(tokio::time::timeout(Duration::from_secs(2), slow).await.is_err());
        drop(operation("never begun").threshold(Duration::ZERO).run(async {}));
        let panics = || operation("panics").threshold(Duration::ZERO).call(|| panic!("on purpose"));
        assert!(std::panic::catch_unwind(panics).is_err());
    });
    let names: Vec<_> = lines.iter().map(|line| line["operation"].as_str().unwrap()).collect();
    assert_eq!(names, ["given up", "panics"]);
    assert!(lines.iter().all(|line| line["completed"] == false), "{lines:#?}");
}

#[test]
fn a_statement_is_not_shown_by_debug() {
    let shown = format!("{:?}", SlowOperation::new("x").statement("SELECT 'hunter2'"));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn statements_of_events_and_spans_have_no_literals() {
    let text = Trial::new().text(|| {
        let span = tracing::info_span!("query", db.query.text = "SELECT 'hunter2'").entered();
        tracing::info!(db.statement = %"DELETE FROM t WHERE a = 'hunter2'", "one");
        drop(span);
        tracing::info!(target: "sqlx::query", summary = "SELECT 'hunter2 …", rows = 1, "two");
        tracing::info!(summary = "it's fine", "three");
    });
    assert!(!text.contains("hunter2"), "{text}");
    for shown in [
        "DELETE FROM t WHERE a = ?",
        "\"db.query.text\":\"SELECT ?\"",
        "\"summary\":\"SELECT ?\"",
        "it's fine",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
}
