use std::borrow::Cow;

use crate::Masker;

#[track_caller]
fn assert_masked(cases: &[(&str, &str)]) {
    let masker = Masker::builder().censor("***").build().unwrap();
    for (text, expected) in cases {
        assert_eq!(masker.text_cow(text), *expected, "{text}");
        let mut out = String::new();
        let count = masker.text(text, &mut out).unwrap();
        assert_eq!(out, *expected, "{text}");
        assert_eq!(count > 0, text != expected, "{text}");
        assert_eq!(masker.text_cow(&out), out, "masking is idempotent: {text}");
    }
}

#[track_caller]
fn assert_kept(texts: &[&str]) {
    let masker = Masker::default();
    for text in texts {
        assert!(matches!(masker.text_cow(text), Cow::Borrowed(_)), "{text} -> {}", masker.text_cow(text));
    }
}

#[test]
fn named_values_are_masked() {
    assert_masked(&[
        ("password=x", "password=***"),
        ("a=1 password=x b=2", "a=1 password=*** b=2"),
        ("password: x", "password: ***"),
        ("password = x", "password = ***"),
        ("password\t=\tx", "password\t=\t***"),
        ("password=x, pin=1; otp=2&cvv=3) y", "password=***, pin=***; otp=***&cvv=***) y"),
        ("user.password=x user[pin]=1", "user.password=*** user[pin]=***"),
        ("ssn:123 user[pin]: 1", "ssn:*** user[pin]: ***"),
        ("map[\"pin\"] = 1", "map[\"pin\"] = ***"),
        ("api key: x", "api key: ***"),
        ("the session id = x ok", "the session id = *** ok"),
        ("--password=x -c", "--password=*** -c"),
        ("PGPASSWORD=x psql", "PGPASSWORD=*** psql"),
        ("password => 'x y', a => 1", "password => '***', a => 1"),
        ("password := \"x\"", "password := \"***\""),
        ("password=pä§$!x b", "password=*** b"),
        ("password=a'b\"c d", "password=*** d"),
        ("password=\u{1b}[0m", "password=\u{1b}[0m"),
        ("password=x\u{1b}[0m b", "password=***\u{1b}[0m b"),
    ]);
}

#[test]
fn quoted_values_are_masked_up_to_their_closing_mark() {
    assert_masked(&[
        ("password=\"x y, z\" b=1", "password=\"***\" b=1"),
        ("password='x y' b", "password='***' b"),
        ("password: `x y` b", "password: `***` b"),
        ("password=\"x \\\"y\\\" z\" b=1", "password=\"***\" b=1"),
        ("password=\"x\\\\\" b=1", "password=\"***\" b=1"),
        ("password=\"x y", "password=\"***"),
        ("password=\"x y\\", "password=\"***"),
        ("password=\"x\"y\" b", "password=\"***\" b"),
        ("password=\"\" b", "password=\"\" b"),
        ("password=b\"x y\" b", "password=*** b"),
        ("password=r#\"x\"y\"# b", "password=*** b"),
        ("msg=\"a password=x\" b", "msg=\"a password=***\" b"),
    ]);
}

#[test]
fn json_is_masked_escaped_or_not() {
    assert_masked(&[
        (r#"{"password":"x","a":1}"#, r#"{"password":"***","a":1}"#),
        (r#"{"password" : "x" , "pin":1234}"#, r#"{"password" : "***" , "pin":***}"#),
        (r#"{"tokens":["a","b"],"c":1}"#, r#"{"tokens":***,"c":1}"#),
        (r#"{"credentials":{"a":"]}","b":[1]},"c":1}"#, r#"{"credentials":***,"c":1}"#),
        (r#"body: "{\"password\":\"x y\",\"a\":1}" b"#, r#"body: "{\"password\":\"***\",\"a\":1}" b"#),
        (r#"body: "{\"password\":\"x\\\"y\",\"a\":1}" b"#, r#"body: "{\"password\":\"***\",\"a\":1}" b"#),
        (r#"body: "{\"pin\":1234}" b"#, r#"body: "{\"pin\":***}" b"#),
        (r#"body: "{\"password\":\"x" b=1"#, r#"body: "{\"password\":\"***" b=1"#),
        (r#""{\"b\":\"{\\\"pin\\\":\\\"x y\\\"}\"}" c"#, r#""{\"b\":\"{\\\"pin\\\":\\\"***\\\"}\"}" c"#),
        (r#"{"api key": "x"}"#, r#"{"api key": "***"}"#),
        ("{'password': 'x'}", "{'password': '***'}"),
        ("\"password\":\n  \"x\"", "\"password\":\n  \"***\""),
        (
            r#"{\"pin\"\n\t:\r\n \"x y\", \"otp\" \n:\n[1, 2]}"#,
            r#"{\"pin\"\n\t:\r\n \"***\", \"otp\" \n:\n***}"#,
        ),
        ("{\"pin\"\n:\n\\\"x y\\\"}", "{\"pin\"\n:\n\\\"***\\\"}"),
        ("%7B%22password%22%3A%22x%22%7D b", "%7B%22password%22%3A*** b"),
    ]);
}

#[test]
fn debug_output_is_masked() {
    assert_masked(&[
        ("Login { user: \"ada\", password: \"x\" }", "Login { user: \"ada\", password: \"***\" }"),
        ("Login { password: Some(\"x)y\"), a: 1 }", "Login { password: ***, a: 1 }"),
        ("A { token: Token { inner: \"x\", of: [1] }, a: 1 }", "A { token: ***, a: 1 }"),
        ("A { token: a::Token<B> { inner: \"x\" }, a: 1 }", "A { token: ***, a: 1 }"),
        ("A { secrets: [\"a\", \"b\"], c: 1 }", "A { secrets: ***, c: 1 }"),
        ("A { secrets: [\"a\", \"b", "A { secrets: ***"),
        ("A {\n  password: Some(\n    \"x\",\n  ),\n  a: 1,\n}", "A {\n  password: ***,\n  a: 1,\n}"),
        ("A { pin: Secret('\"', \"don't\"), a: 1 }", "A { pin: ***, a: 1 }"),
        (
            "{\"authorization\": \"Bearer x\", \"host\": \"h\"}",
            "{\"authorization\": \"***\", \"host\": \"h\"}",
        ),
        ("{\"authorization\": Sensitive, \"host\": \"h\"}", "{\"authorization\": ***, \"host\": \"h\"}"),
        ("A { cookie: Some(\"x y\"), authorization: None }", "A { cookie: ***, authorization: *** }"),
    ]);
}

#[test]
fn deep_and_open_groups_are_masked_to_the_end() {
    let masker = Masker::default();
    for open in ["(", "[", "{", "A {", "Some("] {
        let text = format!("token: {}hunter2", open.repeat(1 << 12));
        assert_eq!(masker.text_cow(&text), "token: [REDACTED]");
        assert_eq!(masker.text_cow(&format!("token: {open}hunter2")), "token: [REDACTED]");
    }
}

#[test]
fn credentials_after_their_scheme_are_masked() {
    assert_masked(&[
        ("Bearer x", "Bearer ***"),
        ("sent bearer eyJh.b-_.c= to h", "sent bearer *** to h"),
        ("(Basic YTpi), b", "(Basic ***), b"),
        ("Bearer \"x\" b", "Bearer *** b"),
        ("h=\"Basic YTpi\"", "h=\"Basic ***\""),
        ("x=BEARER%20abc", "x=BEARER%20***"),
        ("auth=Bearer x.y b=1", "auth=*** b=1"),
        ("authorization=Basic YTpi b=1", "authorization=*** b=1"),
        ("Authorization: Bearer x\nHost: h", "Authorization: ***\nHost: h"),
        ("Authorization: Digest username=\"a\", response=\"x\"\r\nb", "Authorization: ***\r\nb"),
        ("\"> Cookie: a=1; b=2\\r\\n> Host: h\"", "\"> Cookie: ***\\r\\n> Host: h\""),
    ]);
    assert_kept(&[
        "Bearer",
        "bearer ",
        "the bearer token is missing",
        "the \"bearer token\" is missing",
        "Bearer authentication, Basic auth.",
        "basic usage of Basic HTTP things",
        "forbearer abc",
        "Bearer realm=\"api\"",
    ]);
}

#[test]
fn user_info_of_urls_is_masked() {
    assert_masked(&[
        ("dial postgres://ada:x@h:5432/db failed", "dial postgres://REDACTED:REDACTED@h:5432/db failed"),
        ("(redis://:x@h)", "(redis://REDACTED:REDACTED@h)"),
        ("\"amqp://a:x/y@h\", b@c", "\"amqp://REDACTED:REDACTED@h\", b@c"),
        ("url (https://h/p?token=x&a=1): timeout", "url (https://h/p?token=***&a=1): timeout"),
        ("GET /p?n=%2Fx%3Ftoken%3Dx failed", "GET /p?n=%2Fx%3Ftoken%3D*** failed"),
        ("dsn=postgres://a:x@h/db b", "dsn=*** b"),
        ("GET /p?n=https%3A%2F%2Fada%3Ax%40h%2Fp b@c", "GET /p?n=https%3A%2F%2FREDACTED%40h%2Fp b@c"),
        ("n=https:%2F%2Fada:x@h%3Fa b", "n=https:%2F%2FREDACTED:REDACTED@h%3Fa b"),
    ]);
    assert_kept(&[
        "see https://h:80/a?mail=a@b and a@b",
        "http://localhost:3000, a@b",
        "https://h/@a",
        "n=https%3A%2F%2Fh%2F@a",
    ]);
}

#[test]
fn any_censor_is_known_again() {
    let masker = Masker::builder().censor("<({hidden").build().unwrap();
    let once = masker.text_cow("cookie: a=b\n{pin: 1, \"x\": \"token=2\"} b").into_owned();
    assert_eq!(once, "cookie: <({hidden\n{pin: <({hidden, \"x\": \"token=<({hidden\"} b");
    assert_eq!(masker.text_cow(&once), once);
}

#[test]
fn other_text_is_borrowed() {
    assert_kept(&[
        "",
        "request completed",
        "12:30:45 order=7: paid {a: 1}",
        "auth::token::parse at src/token.rs:12",
        "token_count=3 session.count: 4",
        "password is hunter2",
        "[auth]: user ada",
        "password=",
        "password: ",
        "password:\nnext line",
        "password=[REDACTED] token: [REDACTED]",
        "Bearer [REDACTED]",
        "=",
        ":",
        "= : == :: %3D =%= \"\" \"=\" \\",
        "ä: ö=ü%",
    ]);
}

#[test]
fn hostile_text_takes_linear_time() {
    let masker = Masker::builder().cookies_by_name(true).build().unwrap();
    for part in [
        "=",
        ":",
        "%3D",
        "a%3D",
        "token%",
        "\\",
        "password=\\",
        "pin: {",
        "\"",
        "a\"=",
        "b",
        "bearer ",
        "Basic `",
        "Basic+",
        "Bearer '",
        "a ",
        "://@",
        "pin=\"",
        "[",
        "%25",
        "://a:b",
        "://a",
        "a: b; ",
        "cookie: ",
    ] {
        // A quadratic pass over this would take minutes.
        let text = part.repeat((1 << 18) / part.len());
        let started = std::time::Instant::now();
        let _masked = masker.text_cow(&text);
        let _masked = masker.text_cow(&format!("password={text}"));
        let _masked = masker.query_cow(&text);
        masker.header("referer", &text, &mut String::new()).unwrap();
        masker.header("set-cookie", &text, &mut String::new()).unwrap();
        let _masked = masker.path_cow(&text, "/{a}/{token}");
        assert!(started.elapsed().as_secs() < 20, "{part}");
    }
}
