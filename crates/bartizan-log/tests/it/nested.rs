//! Secrets inside of values: what `Debug` prints, JSON in strings, errors.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde_json::{Value, json};
use tracing::info;

use crate::support::{Trial, line};

#[derive(Debug, Clone)]
#[allow(dead_code)]
struct User {
    name: String,
    password: String,
    token: Option<String>,
    keys: Vec<ApiKey>,
}

#[derive(Debug, Clone)]
#[allow(dead_code)]
struct ApiKey {
    id: u32,
    api_key: Result<String, Vec<u8>>,
}

#[derive(Debug)]
#[allow(dead_code)]
enum Event<'a> {
    Login { user: &'a User, otp: (u32, &'a str) },
    Tagged(BTreeMap<&'a str, Option<&'a str>>),
}

fn user(secret: &str) -> User {
    let key = ApiKey { id: 7, api_key: Ok(secret.to_owned()) };
    let other = ApiKey { id: 8, api_key: Err(secret.as_bytes().to_vec()) };
    User { name: "ada".into(), password: secret.into(), token: Some(secret.into()), keys: vec![key, other] }
}

#[test]
fn what_debug_prints_is_masked_by_the_names_of_fields_and_keys() {
    let user = user("hunter2");
    let map = BTreeMap::from([("password", Some("hunter2")), ("colour", Some("red")), ("pin", None)]);
    let hash = HashMap::from([("session_id", "hunter2")]);
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", http::HeaderValue::from_static("Bearer hunter2"));
    headers.insert("accept", http::HeaderValue::from_static("text/html"));
    let text = Trial::new().text(|| {
        info!(user = ?user, "one {user:?}");
        info!(pretty = format!("{user:#?}"), option = ?Some(&user), list = ?[&user, &user], "two");
        info!(event = ?Event::Login { user: &user, otp: (471_147, "hunter2") }, "three");
        info!(map = ?map, hash = ?hash, headers = ?headers, tagged = ?Event::Tagged(map.clone()), "four");
        let span = tracing::info_span!("span", user = ?user).entered();
        info!("five");
        drop(span);
        let scope = bartizan_log::Scope::new().field("shown", format!("{user:?}"));
        scope.call(|| info!("six"));
    });
    assert!(
        !text.contains("hunter2") && !text.contains("471147") && !text.contains("104, 117, 110"),
        "{text}"
    );
    for shown in ["ada", "id: 7", "colour", "red", "text/html"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert_eq!(text.lines().count(), 6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_planted_secret_shows_nowhere_whatever_it_consists_of_and_wherever_it_is_cut(
        noise in "[ -~\n]{0,20}",
        padding in 32_600_usize..32_800,
    ) {
        // What stands for a secret may have any characters around it.
        let secret = format!("{noise}hunter2{noise}");
        let user = user(&secret);
        let padding = "x".repeat(padding);
        let text = Trial::new().text(|| {
            info!(user = ?user, nested = ?Some(vec![(1, &user)]), "one");
            info!(padded = format!("{padding} {user:?}"), "two");
            info!(map = ?BTreeMap::from([("password", &secret)]), "three");
            info!(body = json!({"a": [{"password": secret, "api_key": {"x": [secret]}}]}).to_string(), "four");
            info!(twice = json!({"body": json!({"password": secret}).to_string()}).to_string(), "five");
        });
        prop_assert!(!text.contains("hunter2"), "{}", text);
    }
}

#[test]
fn json_in_strings_is_masked_as_json_where_that_is_switched_on() {
    let masker = bartizan_mask::Masker::builder().path("user.cards[*].number").build().unwrap();
    let escaped = r#"{"pass\u0077ord": "hunter2", "user": {"cards": [{"number": 4711, "of": "ada"}]}}"#;
    let log = |text: &str| {
        let trial = Trial::new().masker(masker.clone()).with(|builder| builder.json_strings(true));
        let line = trial.line(|| info!(body = text, "hi"));
        line["body"].as_str().unwrap().to_owned()
    };
    let shown: Value = serde_json::from_str(&log(escaped)).unwrap();
    let expected =
        json!({"password": "[REDACTED]", "user": {"cards": [{"number": "[REDACTED]", "of": "ada"}]}});
    assert_eq!(shown, expected);
    assert_eq!(log("{not json, password: hunter2}"), "{not json, password: [REDACTED]}");
    assert_eq!(log("[auth] user ada"), "[auth] user ada");
    assert_eq!(log("plain"), "plain");
    let many = format!("[{}\"pass\\u0077ord\"]", "{\"pass\\u0077ord\":\"hunter2\"},".repeat(2000));
    let cut = log(&many);
    assert!(!cut.contains("hunter2") && cut.ends_with("...[cut]"), "{}", &cut[cut.len() - 100..]);
}

#[test]
fn a_secret_at_the_end_of_a_value_that_is_cut_is_not_shown() {
    for before in (32_000..32_768).step_by(97).chain(32_700..32_768) {
        let text =
            format!("{}https://ada:hunter2hunter2hunter2hunter2hunter2hunter2@db/", "x ".repeat(before / 2));
        let line = line(|| info!(text, shown = %text, "hi"));
        for name in ["text", "shown"] {
            assert!(!line[name].as_str().unwrap().contains("hunt"), "{before} {name}");
        }
    }
}

#[test]
fn what_stands_for_a_value_may_depend_on_it() {
    use bartizan_mask::{Action, Masker};
    let masker =
        Masker::builder().name_as("iban", Action::KeepLast4).name_as("dump", Action::Remove).build().unwrap();
    let line = Trial::new().masker(masker).line(|| {
        let iban = "DE89370400440532013000";
        let scope = bartizan_log::Scope::new().field("bound_iban", iban);
        scope.call(|| info!(iban, shown_iban = %iban, card_iban = 4711, odd_iban = "xxxxxxxxxxx€€", dump = iban, "hi"));
    });
    for name in ["iban", "shown_iban", "bound_iban"] {
        assert_eq!(line[name], "[REDACTED]3000", "{name}");
    }
    assert_eq!(
        (&line["card_iban"], &line["odd_iban"], &line["dump"]),
        (&json!("[REDACTED]"), &json!("[REDACTED]"), &json!(""))
    );
}

#[test]
fn where_only_some_names_are_shown_others_are_not_and_messages_are() {
    let masker = bartizan_mask::Masker::builder().show_only(["order"]).build().unwrap();
    let line = Trial::new().masker(masker).line(|| info!(order = 7, colour = "red", "order paid"));
    assert_eq!(
        (&line["order"], &line["colour"], &line["message"]),
        (&json!(7), &json!("[REDACTED]"), &json!("order paid"))
    );
}
