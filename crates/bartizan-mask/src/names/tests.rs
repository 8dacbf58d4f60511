use std::collections::HashSet;

use super::{Begins, MAX_NAME_BYTES, Names};
use crate::{Masker, defaults};

fn assert_sensitive(names: &[&str]) {
    let masker = Masker::default();
    for name in names {
        assert!(masker.is_sensitive(name), "{name} is sensitive");
    }
}

fn assert_shown(names: &[&str]) {
    let masker = Masker::default();
    for name in names {
        assert!(!masker.is_sensitive(name), "{name} is shown");
    }
}

#[test]
fn the_frozen_names_are_sensitive() {
    // R-LOG-4.
    assert_sensitive(&[
        "password",
        "passwd",
        "pwd",
        "secret",
        "token",
        "access_token",
        "refresh_token",
        "id_token",
        "auth_token",
        "api_key",
        "apikey",
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "credit_card",
        "card_number",
        "cvv",
        "ssn",
        "pin",
        "private_key",
        "client_secret",
        "session",
    ]);
    assert_sensitive(&[
        "passphrase",
        "accesskey",
        "secretkey",
        "bearer",
        "auth",
        "credential",
        "credentials",
        "sessionid",
        "csrf",
        "xsrf",
        "otp",
        "twofactor",
        "cvc",
        "card",
        "iban",
        "mysqlpwd",
        "connectionstring",
        "dsn",
        "X-Auth-Token",
        "X-Csrf-Token",
        "X-Amz-Security-Token",
        "X-Amz-Signature",
        "X-Amz-Credential",
        "AWSAccessKeyId",
        "Signature",
        "sig",
        "X-Goog-Signature",
    ]);
}

#[test]
fn every_default_name_survives_normalising() {
    // 18 + 53 + 12: none is a duplicate of another or was dropped.
    let rules = defaults::rules();
    assert_eq!(rules.len(), 83);
    let hashes = Names::new(rules.clone()).rules.iter().map(|(hash, _)| *hash).collect::<HashSet<_>>();
    assert_eq!(hashes.len(), 83);
    for name in rules.keys() {
        assert!(Masker::default().is_sensitive_bytes(name), "{}", name.escape_ascii());
    }
}

#[test]
fn case_separators_and_humps_make_no_difference() {
    assert_sensitive(&[
        "PASSWORD",
        "Pass-Word",
        "pass_word",
        "apiKey",
        "APIKey",
        "API_KEY",
        "api key",
        "api.key",
    ]);
    assert_sensitive(&[
        "x--api__key",
        "-token-",
        "creditCard",
        "CREDITCARD",
        "Set_Cookie",
        "$password",
        "password?",
    ]);
}

#[test]
fn a_name_is_decoded_on_the_fly() {
    assert_sensitive(&["pass%77ord", "%70assword", "pass%2577ord", "api+key", "api%20key", "user%5Bpin%5D"]);
    assert_shown(&["%", "%7", "passw%7", "%%%", "pass%zzword1x"]);
}

#[test]
fn a_sensitive_word_at_the_end_of_a_longer_name_counts() {
    assert_sensitive(&[
        "user_password",
        "newPassword",
        "db_password",
        "x-my-api-key",
        "aws_secret_access_key",
        "stripe_api_key",
        "customerIban",
        "userSSN",
        "http.request.header.authorization",
        "sentry_dsn",
        "cardCvv",
        "OAuthToken",
        "next-auth.session-token",
    ]);
    assert_sensitive(&[
        "dbpassword",
        "PGPASSWORD",
        "appsecret",
        "usertoken",
        "ASP.NET_SessionId",
        "JSESSIONID",
    ]);
}

#[test]
fn a_sensitive_word_elsewhere_does_not_count() {
    assert_shown(&[
        "password_reset_url",
        "token_count",
        "session_count",
        "pin_code_length",
        "spinner",
        "tokens_used",
        "tokenizer",
        "secretary",
        "cookie_consent",
        "authorized",
        "iban_valid",
        "caliban",
        "shipping",
        "author",
        "discard",
        "signature_count",
    ]);
}

#[test]
fn a_short_name_counts_only_as_a_whole_name_or_last_segment() {
    assert_shown(&[
        "gpio_pin",
        "business_card",
        "user_session",
        "requires_auth",
        "input_tokens",
        "method_signature",
    ]);
    assert_sensitive(&["user.pin", "user[pin]", "card", "auth[]", "req.session"]);
    assert_shown(&["session.count", "card.brand", "auth.method", "pin.length"]);
}

#[test]
fn what_stands_before_a_bracket_counts() {
    assert_sensitive(&["password[0]", "token[value]", "user[password][]", "credentials[user]", "pin%5B0%5D"]);
    assert_shown(&["tokenizer[value]", "user[name]", "[", "[]", "[[]]", "a[b][c]"]);
}

#[test]
fn a_number_at_the_end_does_not_count() {
    assert_sensitive(&["password1", "password2", "api_key_2", "pin1", "x-hub-token-256", "user.password.0"]);
    assert_shown(&["1", "2024", "user1", "sha256"]);
}

#[test]
fn our_own_fields_are_shown() {
    assert_shown(&[
        "method",
        "route",
        "path",
        "query",
        "status",
        "outcome",
        "duration_ms",
        "first_byte_ms",
        "client_address",
        "request_bytes",
        "response_bytes",
        "http_version",
        "user_agent",
        "error_type",
        "grpc_code",
        "timestamp",
        "level",
        "target",
        "message",
        "correlation_id",
        "trace_id",
        "span_id",
        "tenant_id",
        "user_id",
        "latency_ms",
        "checked_at",
        "x-request-id",
        "traceparent",
    ]);
}

#[test]
fn a_name_too_long_to_judge_is_sensitive() {
    let masker = Masker::default();
    assert!(!masker.is_sensitive(&"n".repeat(MAX_NAME_BYTES)));
    assert!(masker.is_sensitive(&"n".repeat(MAX_NAME_BYTES + 1)));
    assert!(masker.is_sensitive(&"-[".repeat(1 << 16)));
    assert!(!masker.is_sensitive(&"a[".repeat(MAX_NAME_BYTES / 2)));
    assert!(!masker.is_sensitive(&"%6E".repeat(MAX_NAME_BYTES)), "the decoded name counts");
    assert!(masker.is_sensitive(&"%6E".repeat(MAX_NAME_BYTES + 1)));
}

#[test]
fn short_and_numbered_names_of_a_user_are_found() {
    let masker = Masker::builder().names(["pw", "x", "77", "key2", "ab1cd9"]).build().unwrap();
    for name in
        ["pw", "user_pw", "userPw", "pw1", "x", "_x_", "a.x3", "77", "n-77", "key2", "KEY_2", "ab1cd9"]
    {
        assert!(masker.is_sensitive(name), "{name}");
    }
    for name in ["key", "key3", "ab1cd", "78", "xpw"] {
        assert!(!masker.is_sensitive(name), "{name}");
    }
}

#[test]
fn bytes_outside_ascii_are_letters() {
    let masker = Masker::builder().name("contraseña").build().unwrap();
    assert!(masker.is_sensitive("mi_contraseña"));
    assert!(masker.is_sensitive("contrase%C3%B1a"));
    assert!(masker.is_sensitive_bytes(b"\xFF\xFE_password"));
    assert!(!masker.is_sensitive_bytes(b"\xFF\xFE"));
}

#[test]
fn an_empty_name_is_shown_and_an_empty_set_hides_nothing() {
    assert_shown(&["", "-", " "]);
    let masker = Masker::builder().replace_names::<[&str; 0]>([]).build().unwrap();
    assert!(!masker.is_sensitive("password"));
}

#[test]
fn words_and_segments_begin_where_they_should() {
    let begins = |name: &str| {
        (0..name.len())
            .filter(|at| name.as_bytes()[*at].is_ascii_alphanumeric())
            .map(|at| match Begins::at(name.as_bytes(), at) {
                Begins::Nothing => '.',
                Begins::Word => 'w',
                Begins::Segment => 's',
            })
            .collect::<String>()
    };
    assert_eq!(begins("userAPIKeyID2"), "s...w..w..w..");
    assert_eq!(begins("HTTPToken"), "s...w....");
    assert_eq!(begins("_a_B.c-._d"), "swss");
    assert_eq!(begins("ABC"), "s..");
    assert_eq!(begins("oauth2Token"), "s.....w....");
    assert_eq!(begins("A_Bc"), "sw.");
}
