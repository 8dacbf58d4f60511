//! Fields bound to a request or to a block.

use std::time::Duration;

use bartizan_log::{Scope, bind};
use serde_json::json;
use tracing::{info, info_span};

use crate::service::{Service, get};
use crate::support::{Trial, lines};

#[test]
fn what_is_bound_is_on_every_later_line_of_the_request_in_any_task() {
    let lines = Trial::new().lines_of(async {
        assert!(!bind("nobody", 1), "there is no request");
        let service = Service::new(|| async {
            info!("before");
            assert!(bind("tenant_id", "acme"));
            info_span!("work", tenant_id = "span's").in_scope(|| info!("in a span"));
            let carried = bartizan_core::Context::current().carry(async { info!("spawned") });
            tokio::spawn(carried).await.unwrap();
            tokio::spawn(async { info!("on its own") }).await.unwrap();
            assert!(bind("tenant_id", "other"));
        });
        service.call(get("/x")).await;
        info!("outside");
    });
    let tenant = |n: usize| lines[n].get("tenant_id").and_then(|value| value.as_str());
    assert_eq!(tenant(0), None);
    assert_eq!(tenant(1), Some("span's"));
    assert_eq!(tenant(2), Some("acme"));
    assert_eq!(tenant(3), None);
    assert_eq!((&lines[4]["message"], tenant(4)), (&json!("request completed"), Some("other")));
    assert_eq!(tenant(5), None);
}

#[test]
fn bound_fields_are_masked_by_name_and_by_what_shows_in_them() {
    let text = Trial::new().text(|| {
        Scope::new().field("password", "hunter2").field("note", "pin=hunter2").field("api_key", 4711).call(
            || {
                info!("hi");
            },
        );
    });
    assert!(!text.contains("hunter2") && !text.contains("4711"), "{text}");
    assert_eq!(text.matches("[REDACTED]").count(), 3);
}

#[test]
fn scopes_nest_and_end_with_their_block() {
    let lines = Trial::new().lines_of(async {
        let inner = Scope::new().field("row", 7).field("file", "b.csv").run(async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            info!("inner");
        });
        Scope::new()
            .field("file", "a.csv")
            .field("rate", 0.5)
            .run(async {
                inner.await;
                info!("outer");
            })
            .await;
        info!("outside");
    });
    assert_eq!((&lines[0]["row"], &lines[0]["file"]), (&json!(7), &json!("b.csv")));
    assert_eq!((&lines[1]["file"], &lines[1]["rate"]), (&json!("a.csv"), &json!(0.5)));
    assert!(!lines[1].contains_key("row") && !lines[2].contains_key("file"));
}

#[test]
fn an_error_that_leaves_a_block_is_logged_with_its_fields_and_handed_on() {
    let lines = Trial::new().lines_of(async {
        let scope = || Scope::new().field("file", "a.csv");
        let failed: Result<(), _> = scope().run_result(async { Err("no space, token=hunter2") }).await;
        assert_eq!(failed, Err("no space, token=hunter2"));
        assert_eq!(scope().run_result(async { Ok::<_, String>(1) }).await, Ok(1));
        let failed = scope().call_result(|| "x".parse::<u8>());
        assert!(failed.is_err());
        assert_eq!(scope().call_result(|| "7".parse::<u8>()), Ok(7));
    });
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert_eq!((&line["level"], &line["message"]), (&json!("ERROR"), &json!("block failed")));
        assert_eq!(line["file"], "a.csv");
    }
    assert_eq!(lines[0]["error"], "no space, token=[REDACTED]");
    assert_eq!(lines[1]["error"], "invalid digit found in string");
}

#[test]
fn the_startup_event_tells_what_is_on() {
    let lines =
        lines(|| bartizan_log::startup_event("orders", "1.4.2", "production", &["metrics", "traces"]));
    assert_eq!(lines[0]["message"], "service started");
    assert_eq!((&lines[0]["service"], &lines[0]["version"]), (&json!("orders"), &json!("1.4.2")));
    assert_eq!((&lines[0]["environment"], &lines[0]["on"]), (&json!("production"), &json!("metrics,traces")));
}
