//! The fields of an event.

use std::fmt;

use serde_json::json;
use tracing::{error, info, warn};

use crate::support::{Trial, line, lines};

#[test]
fn a_line_begins_with_when_what_and_where() {
    let text = Trial::new().text(|| info!(target: "app", order = 17, "paid"));
    assert!(text.starts_with("{\"timestamp\":\"2"), "{text}");
    let (_, rest) = text.split_once("Z\",").unwrap();
    assert_eq!(rest, "\"level\":\"INFO\",\"target\":\"app\",\"message\":\"paid\",\"order\":17}\n");
}

#[test]
fn every_type_of_value_becomes_its_json() {
    let line = line(|| {
        info!(
            text = "a \"b\"\n",
            yes = true,
            signed = -3_i64,
            unsigned = u64::MAX,
            real = 1.5,
            nan = f64::NAN,
            infinite = f64::NEG_INFINITY,
            small_wide = 7_u128,
            wide = u128::MAX,
            wide_negative = i128::MIN,
            debugged = ?Some("x"),
            shown = %"shown",
            absent = None::<u8>,
            present = Some(1),
            empty = tracing::field::Empty,
            r#type = "raw",
        );
    });
    let expected = json!({
        "text": "a \"b\"\n",
        "yes": true,
        "signed": -3,
        "unsigned": u64::MAX,
        "real": 1.5,
        "nan": null,
        "infinite": null,
        "small_wide": 7,
        "wide": "340282366920938463463374607431768211455",
        "wide_negative": "-170141183460469231731687303715884105728",
        "debugged": "Some(\"x\")",
        "shown": "shown",
        "present": 1,
        "type": "raw",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&line[name], value, "{name}");
    }
    assert_eq!(line.len(), 3 + expected.as_object().unwrap().len(), "{line:?}");
}

#[test]
fn an_error_is_told_with_its_sources() {
    #[derive(Debug)]
    struct Outer(std::io::Error);
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("cannot save")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let failed = Outer(std::io::Error::other("disk full, password=hunter2"));
    let line = line(|| error!(error = &failed as &(dyn std::error::Error + 'static), "oh"));
    assert_eq!(line["error"], "cannot save: disk full, password=[REDACTED]");
}

#[test]
fn sensitive_names_are_censored_whatever_the_type() {
    let text = Trial::new().text(|| {
        let secret = "hunter2";
        warn!(password = secret, api_key = %secret, token = ?secret, pin = 4711, "one");
        warn!(user.password = secret, newPassword = secret, cvv = 4711.0, secret = true, "two");
        warn!("three: password={secret} and token: \"{secret}\"");
        warn!(url = "https://ada:hunter2@example.org/?api_key=hunter2", "four");
        warn!(request = ?Login { user: "ada", password: "hunter2" }, "five");
        warn!(authorization = "Bearer hunter2", header = "Bearer hunter2", "six");
    });
    assert!(!text.contains("hunter2") && !text.contains("4711"), "{text}");
    assert_eq!(text.matches("[REDACTED]").count(), 14, "{text}");
    assert!(text.contains("ada"), "{text}");
}

#[derive(Debug)]
#[allow(dead_code)]
struct Login {
    user: &'static str,
    password: &'static str,
}

#[test]
fn own_names_and_censor_count_and_masked_values_are_counted() {
    let masker = bartizan_mask::Masker::builder().name("iban").censor("***").build().unwrap();
    let line = Trial::new().masker(masker.clone()).line(|| info!(iban = "DE00", password = "x", "hi"));
    assert_eq!((&line["iban"], &line["password"]), (&json!("***"), &json!("***")));
    assert_eq!(masker.masked_total(), 2);
}

#[test]
fn a_field_that_is_called_like_a_reserved_one_gets_a_prefix() {
    let line = line(|| {
        info!(
            level = "high",
            target = "mine",
            timestamp = 1,
            correlation_id = "c",
            trace_id = "t",
            span_id = "s",
            "hi"
        );
    });
    assert_eq!(line["level"], "INFO");
    for name in ["level", "target", "timestamp", "correlation_id", "trace_id", "span_id"] {
        assert!(line.contains_key(&format!("field.{name}")), "{name}");
    }
    assert!(!line.contains_key("trace_id"));
}

#[test]
fn a_name_that_comes_twice_is_written_once() {
    let line = line(|| info!(a = 1, a = 2, "field.level" = 3, level = 4, message = "own", "text"));
    assert_eq!(line["a"], 1);
    assert_eq!(line["field.level"], 3);
}

#[test]
fn odd_names_stay_valid_json() {
    let line = line(|| info!("a\"b\n" = 1, "" = 2, "with space" = 3, user.name = "ada", "hi"));
    assert_eq!((&line["a\"b\n"], &line[""], &line["with space"]), (&json!(1), &json!(2), &json!(3)));
    assert_eq!(line["user.name"], "ada");
}

#[test]
fn a_debug_that_panics_or_fails_spoils_no_later_line() {
    struct Broken;
    impl fmt::Debug for Broken {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("in Debug");
        }
    }
    struct Failing;
    impl fmt::Debug for Failing {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("begun")?;
            Err(fmt::Error)
        }
    }
    let lines = lines(|| {
        assert!(std::panic::catch_unwind(|| info!(value = ?Broken, "never seen")).is_err());
        info!(value = ?Failing, "after");
    });
    assert_eq!(lines.len(), 1);
    assert_eq!((&lines[0]["message"], &lines[0]["value"]), (&json!("after"), &json!("begun")));
}

#[test]
fn long_values_and_long_lines_are_cut_marked_and_counted() {
    let before = bartizan_log::lines_truncated_total();
    let long = "ä\n".repeat(50_000);
    let lines = lines(|| {
        info!(a = long, b = %long, c = ?long, d = 1, "short");
        info!("{long}");
    });
    assert!(lines[0]["a"].as_str().unwrap().ends_with("...[cut]"));
    assert!(lines[0]["a"].as_str().unwrap().starts_with("ä\nä\n"));
    assert_eq!(lines[0]["message"], "short");
    assert!(lines[1]["message"].as_str().unwrap().ends_with("...[cut]"));
    assert!(bartizan_log::lines_truncated_total() >= before + 2);
}
