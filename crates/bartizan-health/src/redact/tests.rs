use proptest::prelude::*;
use serde_json::json;

use super::*;

fn text(text: &str) -> String {
    DefaultRedactor.text(text).into_owned()
}

#[test]
fn user_info_is_hidden() {
    for (given, shown) in [
        ("postgres://app:s3cret@db:5432/x is down", "postgres://[REDACTED]@db:5432/x is down"),
        ("redis://:s3cret@cache", "redis://[REDACTED]@cache"),
        ("https://ghp_s3cret@example.com", "https://[REDACTED]@example.com"),
        ("amqp://u:p@ss:s3cret@mq/%2f", "amqp://[REDACTED]@mq/%2f"),
        ("mongodb://u:s3cret@a,b,c/db", "mongodb://[REDACTED]@a,b,c/db"),
        ("postgres://u:s3/cr?et@db", "postgres://[REDACTED]@db"),
        ("app:s3cret@tcp(db:3306)/orders", "[REDACTED]@tcp(db:3306)/orders"),
    ] {
        assert_eq!(text(given), shown);
    }
}

#[test]
fn named_secrets_are_hidden() {
    for (given, shown) in [
        ("host=db user=app password=s3cret dbname=x", "host=db user=app password=[REDACTED] dbname=x"),
        ("password = 's3 cret' host=db", "password = [REDACTED] host=db"),
        ("Server=db;Pwd=s3cret;Port=1", "Server=db;Pwd=[REDACTED];Port=1"),
        ("GET /a?api_key=s3cret&x=1 failed", "GET /a?api_key=[REDACTED]&x=1 failed"),
        (r#"{"client_secret": "s3cret","a":1}"#, r#"{"client_secret": [REDACTED],"a":1}"#),
        ("Authorization: Bearer s3cret", "Authorization: [REDACTED]"),
        ("password=a:s3cret@x", "password=[REDACTED]"),
        ("password=s3cret token=s3cret", "password=[REDACTED] token=[REDACTED]"),
    ] {
        assert_eq!(text(given), shown);
    }
}

#[test]
fn plain_messages_are_not_touched() {
    for plain in [
        "connection refused (os error 111)",
        "mail to ops@example.com",
        "http://db:5432/x?a=b",
        "a: b: c",
        "",
    ] {
        assert!(matches!(DefaultRedactor.text(plain), Cow::Borrowed(_)) || text(plain) == plain, "{plain}");
    }
}

#[test]
fn details_are_redacted_at_any_depth() {
    let mut details =
        json!({ "url": "redis://:s3cret@cache", "pool": [{ "apiKey": { "a": "s3cret" }, "idle": 1 }] });
    DefaultRedactor.details(&mut details);
    let shown = json!({ "url": "redis://[REDACTED]@cache", "pool": [{ "apiKey": "[REDACTED]", "idle": 1 }] });
    assert_eq!(details, shown);
}

#[test]
fn a_long_text_is_read_in_linear_time() {
    for piece in [":", "token", "\"", "a@", "://", "pwd: ", "=a "] {
        text(&piece.repeat(1_000_000 / piece.len()));
    }
}

proptest! {
    #[test]
    fn any_text_is_taken(given in "\\PC*") {
        text(&given);
    }

    #[test]
    fn punctuation_soup_is_taken(given in "[=:@/ \"'\\\\&;a-zÄ€😀pwdtoken]{0,40}") {
        text(&given);
    }

    #[test]
    fn a_planted_secret_never_comes_out(before in "[a-z =:/\"]{0,20} ", after in "[ -~]{0,20}", name in "(password|api-key|Token)") {
        for form in ["postgres://app:pl4nted@db/", "{name}=pl4nted", "{name}: pl4nted ", "\"{name}\":\"pl4nted\""] {
            let given = format!("{before}{}{after}", form.replace("{name}", &name));
            prop_assert!(!text(&given).contains("pl4nted"), "{given} -> {}", text(&given));
        }
    }
}
