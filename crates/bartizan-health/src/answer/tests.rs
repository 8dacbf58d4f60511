use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Criticality;

const MOMENT: Duration = Duration::from_nanos(1_700_000_000_123_999_999);

fn check(name: &str, status: Status, message: Option<&str>, details: Option<Value>) -> CheckReport {
    CheckReport {
        name: name.into(),
        status,
        message: message.map(Into::into),
        latency: Duration::from_nanos(1_234_567),
        details: details.map(Arc::new),
        checked_at: SystemTime::UNIX_EPOCH + MOMENT,
        criticality: Criticality::Critical,
        age: Some(Duration::ZERO),
        stale: false,
        failures: 0,
    }
}

fn report(checks: Vec<CheckReport>) -> Report {
    Report::new(SystemTime::UNIX_EPOCH + MOMENT, false, false, checks)
}

fn mixed() -> Report {
    report(vec![
        check("db", Status::Unhealthy, Some("refused"), Some(json!({ "pool": 3 }))),
        check("cache", Status::Degraded, Some("slow"), None),
        check("disk", Status::Healthy, None, None),
    ])
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

#[test]
fn health_has_exactly_the_contract_s_shape() {
    let answer = health(
        &report(vec![check("db", Status::Unhealthy, Some("refused"), Some(json!({ "pool": 3 })))]),
        true,
        false,
    );
    assert_eq!(answer.status, 200);
    assert_eq!(
        text(&answer),
        r#"{"status":"unhealthy","timestamp":"2023-11-14T22:13:20.123Z","checks":[{"name":"db","status":"unhealthy","message":"refused","latency_ms":1.234,"details":{"pool":3},"checked_at":"2023-11-14T22:13:20.123Z"}]}"#
    );
}

#[test]
fn what_is_hidden_is_null_and_no_key_is_missing() {
    let answer = health(
        &report(vec![check("db", Status::Unhealthy, Some("refused"), Some(json!({ "pool": 3 })))]),
        false,
        false,
    );
    assert_eq!(
        text(&answer),
        r#"{"status":"unhealthy","timestamp":"2023-11-14T22:13:20.123Z","checks":[{"name":"db","status":"unhealthy","message":null,"latency_ms":1.234,"details":null,"checked_at":"2023-11-14T22:13:20.123Z"}]}"#
    );
}

#[test]
fn unhealthy_is_503_only_by_option() {
    assert_eq!(health(&mixed(), false, true).status, 503);
    assert_eq!(detailed(&mixed(), false, true).status, 503);
    assert_eq!(detailed(&mixed(), false, false).status, 200);
    assert_eq!(health(&report(vec![check("a", Status::Degraded, None, None)]), false, true).status, 200);
}

#[test]
fn no_checks_are_healthy() {
    assert_eq!(
        text(&health(&report(vec![]), true, true)),
        r#"{"status":"healthy","timestamp":"2023-11-14T22:13:20.123Z","checks":[]}"#
    );
}

#[test]
fn live_is_alive() {
    assert_eq!((live().status, text(&live())), (StatusCode::OK, r#"{"status":"alive"}"#));
}

#[test]
fn ready_names_the_errors_and_holds_the_health_document() {
    let answer = ready(&mixed(), true);
    assert_eq!(answer.status, 503);
    let health = String::from_utf8(health(&mixed(), true, false).body.to_vec()).unwrap();
    assert_eq!(
        text(&answer),
        format!(
            r#"{{"status":"not_ready","health":{health},"checks":{{"db":"error: refused","cache":"ok","disk":"ok"}}}}"#
        )
    );
    assert!(
        text(&ready(&mixed(), false))
            .ends_with(r#""checks":{"db":"error: unhealthy","cache":"ok","disk":"ok"}}"#)
    );
}

#[test]
fn degraded_is_ready_and_draining_is_not() {
    let mut report = report(vec![check("cache", Status::Degraded, None, None)]);
    assert_eq!(ready(&report, false).status, 200);
    report.draining = true;
    assert_eq!(ready(&report, false).status, 503);
}

#[test]
fn startup_follows_the_latch() {
    let mut report = mixed();
    let answer = startup(&report, true);
    assert_eq!(answer.status, 503);
    assert_eq!(
        text(&answer),
        r#"{"status":"not_started","checks":{"db":"error: refused","cache":"ok","disk":"ok"}}"#
    );
    report.started = true;
    report.checks.clear();
    assert_eq!(startup(&report, true).status, 200);
    assert_eq!(text(&startup(&report, true)), r#"{"status":"started","checks":{}}"#);
}

#[test]
fn detailed_adds_the_names_of_the_failed_and_the_counts() {
    let answer = detailed(&mixed(), true, false);
    assert!(
        text(&answer).ends_with(r#"],"failed_checks":["db"],"total_checks":3,"passed_checks":2}"#),
        "{}",
        text(&answer)
    );
    assert!(text(&answer).starts_with(r#"{"status":"unhealthy","timestamp":""#));
}

#[test]
fn a_clock_far_off_is_still_a_date() {
    assert_eq!(rfc3339(SystemTime::UNIX_EPOCH - MOMENT), "1970-01-01T00:00:00.000Z");
    assert_eq!(
        rfc3339(SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 366 * 9_000)),
        "1970-01-01T00:00:00.000Z"
    );
    assert_eq!(rfc3339(SystemTime::UNIX_EPOCH), "1970-01-01T00:00:00.000Z");
}

proptest! {
    #[test]
    fn any_name_message_and_detail_make_valid_json(name in any::<String>(), message in any::<String>(), detail in any::<String>()) {
        let report = report(vec![check(&name, Status::Unhealthy, Some(&message), Some(json!({ "a": detail })))]);
        for answer in [health(&report, true, false), ready(&report, true), detailed(&report, true, false), startup(&report, true)] {
            let value: Value = serde_json::from_slice(&answer.body).unwrap();
            prop_assert!(value.is_object());
        }
        let value: Value = serde_json::from_slice(&ready(&report, true).body).unwrap();
        prop_assert_eq!(&value["health"]["checks"][0]["message"], &json!(message));
        prop_assert_eq!(&value["checks"][&name], &json!(format!("error: {message}")));
    }
}
