use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{json::*, *};
use crate::{CheckReport, Criticality, exposure::Sight};

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
        Sight::All,
        true,
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
        Sight::Names,
        true,
    );
    assert_eq!(
        text(&answer),
        r#"{"status":"unhealthy","timestamp":"2023-11-14T22:13:20.123Z","checks":[{"name":"db","status":"unhealthy","message":null,"latency_ms":1.234,"details":null,"checked_at":"2023-11-14T22:13:20.123Z"}]}"#
    );
}

#[test]
fn who_sees_the_status_sees_nothing_else() {
    assert_eq!(
        text(&health(&mixed(), Sight::Status, true)),
        r#"{"status":"unhealthy","timestamp":"2023-11-14T22:13:20.123Z","checks":[]}"#
    );
    assert!(text(&ready(&mixed(), Sight::Status)).ends_with(r#""checks":[]},"checks":{}}"#));
    assert!(
        text(&detailed(&mixed(), Sight::Status, true))
            .ends_with(r#""checks":[],"failed_checks":[],"total_checks":null,"passed_checks":null}"#)
    );
    assert_eq!(text(&startup(&mixed(), Sight::Status)), r#"{"status":"not_started","checks":{}}"#);
}

#[test]
fn no_checks_are_healthy() {
    assert_eq!(
        text(&health(&report(vec![]), Sight::All, true)),
        r#"{"status":"healthy","timestamp":"2023-11-14T22:13:20.123Z","checks":[]}"#
    );
}

#[test]
fn live_is_alive() {
    let answer = live(&report(vec![]), Sight::All);
    assert_eq!((answer.status, text(&answer)), (StatusCode::OK, r#"{"status":"alive"}"#));
    let answer = live(&report(vec![check("loop", Status::Unhealthy, Some("stuck"), None)]), Sight::All);
    assert_eq!(answer.status, 503);
    assert_eq!(text(&answer), r#"{"status":"dead","checks":{"loop":"error: stuck"}}"#);
}

#[test]
fn ready_names_the_errors_and_holds_the_health_document() {
    let answer = ready(&mixed(), Sight::All);
    assert_eq!(answer.status, 503);
    let health = String::from_utf8(health(&mixed(), Sight::All, true).body.to_vec()).unwrap();
    assert_eq!(
        text(&answer),
        format!(
            r#"{{"status":"not_ready","health":{health},"checks":{{"db":"error: refused","cache":"ok","disk":"ok"}}}}"#
        )
    );
    assert!(
        text(&ready(&mixed(), Sight::Names))
            .ends_with(r#""checks":{"db":"error: unhealthy","cache":"ok","disk":"ok"}}"#)
    );
}

#[test]
fn degraded_is_ready_and_draining_is_not() {
    let mut report = report(vec![check("cache", Status::Degraded, None, None)]);
    assert_eq!(ready(&report, Sight::Status).status, 200);
    report.draining = true;
    assert_eq!(ready(&report, Sight::Status).status, 503);
}

#[test]
fn startup_follows_the_latch() {
    let mut report = mixed();
    let answer = startup(&report, Sight::All);
    assert_eq!(answer.status, 503);
    assert_eq!(
        text(&answer),
        r#"{"status":"not_started","checks":{"db":"error: refused","cache":"ok","disk":"ok"}}"#
    );
    report.started = true;
    report.checks.clear();
    assert_eq!(startup(&report, Sight::All).status, 200);
    assert_eq!(text(&startup(&report, Sight::All)), r#"{"status":"started","checks":{}}"#);
}

#[test]
fn detailed_adds_the_names_of_the_failed_and_the_counts() {
    let answer = detailed(&mixed(), Sight::All, true);
    assert!(
        text(&answer).ends_with(r#"],"failed_checks":["db"],"total_checks":3,"passed_checks":2}"#),
        "{}",
        text(&answer)
    );
    assert!(text(&answer).starts_with(r#"{"status":"unhealthy","timestamp":""#));
    let more = r#""checked_at":"2023-11-14T22:13:20.123Z","criticality":"critical","age_ms":0.0,"stale":false,"failures":0}"#;
    assert!(text(&answer).contains(more), "{}", text(&answer));
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

#[test]
fn health_json_is_what_the_draft_says() {
    let about = health_json::About::new("orders", "1.4.2");
    let some = report(vec![
        check("module:db", Status::Unhealthy, Some("refused"), Some(json!({ "pool": 3 }))),
        check("disk", Status::Healthy, Some("40 % free"), None),
    ]);
    let answer = health_json::document(&some, false, Sight::All, &about);
    assert_eq!(
        (answer.status, answer.content_type),
        (StatusCode::SERVICE_UNAVAILABLE, Some("application/health+json"))
    );
    let time = "2023-11-14T22:13:20.123Z";
    let expected = json!({
        "status": "fail", "serviceId": "orders", "releaseId": "1.4.2",
        "checks": {
            "module.db:responseTime": [{
                "componentId": "module:db", "componentType": "component", "observedValue": 1.234,
                "observedUnit": "ms", "status": "fail", "time": time, "output": "refused",
            }],
            "disk:responseTime": [{
                "componentId": "disk", "componentType": "component", "observedValue": 1.234,
                "observedUnit": "ms", "status": "pass", "time": time,
            }],
        },
    });
    assert_eq!(serde_json::from_slice::<Value>(&answer.body).unwrap(), expected);
    let public = health_json::document(&some, false, Sight::Status, &about);
    assert_eq!(text(&public), r#"{"status":"fail"}"#);
    let degraded = report(vec![check("cache", Status::Degraded, Some("slow"), None)]);
    let answer = health_json::document(&degraded, true, Sight::Status, &about);
    assert_eq!((answer.status.as_u16(), text(&answer)), (200, r#"{"status":"warn"}"#));
}

fn excluded(query: &str) -> crate::request::Excluded {
    let request = http::Request::get(format!("/?{query}")).body(()).unwrap();
    crate::request::Excluded::of(&request.into_parts().0, Sight::All)
}

#[test]
fn verbose_is_what_the_api_server_prints() {
    let print = |report: &Report, sight, query: &str| {
        let answer = verbose::text(report, Verdict::Ready, sight, &excluded(query), "readyz");
        (answer.status.as_u16(), text(&answer).to_owned())
    };
    let all = "[-]db failed: refused\n[+]cache ok\n[+]disk ok\nreadyz check failed\n";
    assert_eq!(print(&mixed(), Sight::All, ""), (503, all.into()));
    let names = "[-]db failed: reason withheld\n[+]cache ok\n[+]disk ok\nreadyz check failed\n";
    assert_eq!(print(&mixed(), Sight::Names, ""), (503, names.into()));
    assert_eq!(print(&mixed(), Sight::Status, ""), (503, "readyz check failed\n".into()));
    let without = "[+]db excluded: ok\n[+]cache ok\n[+]disk ok\nreadyz check passed\n";
    assert_eq!(print(&mixed(), Sight::All, "exclude=db"), (200, without.into()));
    let unknown =
        "warn: some health checks cannot be excluded: no matches for \"a\\nb\", \"x\"\nreadyz check passed\n";
    assert_eq!(print(&report(vec![]), Sight::All, "exclude=x&exclude=a%0Ab"), (200, unknown.into()));
    let mut draining = report(vec![]);
    draining.draining = true;
    let shutdown = "[-]shutdown failed: reason withheld\nreadyz check failed\n";
    assert_eq!(print(&draining, Sight::Status, ""), (503, shutdown.into()));
}

#[test]
fn a_single_check_is_ok_or_says_why() {
    let one = |status, sight| {
        let answer = verbose::single(&report(vec![check("db", status, Some("slow"), None)]), sight);
        (answer.status.as_u16(), text(&answer).to_owned())
    };
    assert_eq!(one(Status::Degraded, Sight::All), (200, "ok".into()));
    assert_eq!(one(Status::Unhealthy, Sight::All), (503, "[-]db failed: slow\n".into()));
    assert_eq!(one(Status::Unhealthy, Sight::Names), (503, "[-]db failed: reason withheld\n".into()));
}

proptest! {
    #[test]
    fn any_name_message_and_detail_make_valid_json(name in any::<String>(), message in any::<String>(), detail in any::<String>()) {
        let report = report(vec![check(&name, Status::Unhealthy, Some(&message), Some(json!({ "a": detail })))]);
        for answer in [health(&report, Sight::All, true), ready(&report, Sight::All), detailed(&report, Sight::All, true), startup(&report, Sight::All)] {
            let value: Value = serde_json::from_slice(&answer.body).unwrap();
            prop_assert!(value.is_object());
        }
        let value: Value = serde_json::from_slice(&ready(&report, Sight::All).body).unwrap();
        prop_assert_eq!(&value["health"]["checks"][0]["message"], &json!(message));
        prop_assert_eq!(&value["checks"][&name], &json!(format!("error: {message}")));
    }
}
