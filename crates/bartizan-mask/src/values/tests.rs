use std::time::Instant;

use super::ValueKind;
use crate::{Action, Masker};

fn masker() -> Masker {
    Masker::builder().values(ValueKind::ALL).censor("***").build().unwrap()
}

#[track_caller]
fn assert_hidden(kind: ValueKind, values: &[&str]) {
    let masker = Masker::builder().value(kind).censor("***").build().unwrap();
    for value in values {
        for (before, behind) in [("", ""), ("a ", " b"), ("\"", "\""), ("id=", "&x=y"), ("(", "), b")] {
            let text = format!("{before}{value}{behind}");
            assert_eq!(masker.text_cow(&text), format!("{before}***{behind}"), "{text}");
            assert_eq!(Masker::default().text_cow(&text), text, "off by default");
        }
    }
}

#[track_caller]
fn assert_kept(kind: ValueKind, values: &[&str]) {
    let masker = Masker::builder().value(kind).build().unwrap();
    for value in values {
        assert_eq!(masker.text_cow(value), *value);
        assert_eq!(masker.masked_total(), 0);
    }
}

#[test]
fn cards_are_told_by_their_check_digit() {
    assert_hidden(
        ValueKind::Card,
        &[
            "4111111111111111",
            "4111 1111 1111 1111",
            "5500-0000-0000-0004",
            "378282246310005",
            "3782 822463 10005",
            "4222222222222",
            "6304000000000000000",
        ],
    );
    assert_kept(
        ValueKind::Card,
        &[
            "4111111111111112",
            "411111111111111",
            "x4111111111111111",
            "4111111111111111x",
            "41111111111111111111",
            "4111  1111 1111 1111",
            "1111111111111117",
            "0000000000000000",
            "4444444444444444",
        ],
    );
    let masker = Masker::builder().value(ValueKind::Card).censor("***").build().unwrap();
    assert_eq!(masker.text_cow("7 4111 1111 1111 1111 2"), "7 *** 2");
}

#[test]
fn accounts_are_told_by_country_length_and_check_digits() {
    assert_hidden(
        ValueKind::Iban,
        &[
            "DE89370400440532013000",
            "de89 3704 0044 0532 0130 00",
            "GB29 NWBK 6016 1331 9268 19",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
        ],
    );
    assert_kept(
        ValueKind::Iban,
        &[
            "DE88370400440532013000",
            "DE8937040044053201300",
            "DE893704004405320130001",
            "XX89370400440532013000",
            "DE89",
            "xDE89370400440532013000",
        ],
    );
}

#[test]
fn tokens_are_told_by_their_shape() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_hidden(ValueKind::Jwt, &[jwt, "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."]);
    assert_kept(
        ValueKind::Jwt,
        &["eyJ", "eyJ.a.b", "eyJhbGciOiJub25lIn0", "xeyJhbGci.eyJzdWIi.abc", "hey.you.there"],
    );
    assert_hidden(ValueKind::AwsKey, &["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"]);
    assert_kept(
        ValueKind::AwsKey,
        &["AKIAIOSFODNN7EXAMPL", "AKIAIOSFODNN7EXAMPLEX", "AKIAiosfodnn7example", "XAKIAIOSFODNN7EXAMPLE"],
    );
    let github = format!("ghp_{}", "aB3".repeat(12));
    assert_hidden(ValueKind::GithubToken, &[&github, &format!("github_pat_{}_x", "a1B2".repeat(15))]);
    assert_kept(
        ValueKind::GithubToken,
        &["ghp_abc", &format!("ghx_{}", "a".repeat(36)), &format!("x{github}")],
    );
    let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nx=\n-----END RSA PRIVATE KEY-----";
    assert_hidden(ValueKind::PrivateKey, &[key]);
    assert_kept(
        ValueKind::PrivateKey,
        &["-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", "---- BEGIN"],
    );
    assert_eq!(masker().text_cow(&format!("a {}", &key[..50])), "a ***");
}

#[test]
fn addresses_and_numbers_of_people_and_devices_are_told() {
    assert_hidden(
        ValueKind::Email,
        &["ada@example.org", "a.b+c_d@mail.example.co.uk", "jörg@bücher.example"],
    );
    assert_kept(
        ValueKind::Email,
        &["ada@localhost", "@example.org", "a@b.1", "a @b.c", "x@", "a@.example", "12:30@5.30"],
    );
    assert_hidden(ValueKind::Ssn, &["123-45-6789"]);
    assert_kept(
        ValueKind::Ssn,
        &[
            "000-45-6789",
            "666-45-6789",
            "912-45-6789",
            "123-00-6789",
            "123-45-0000",
            "1234-45-6789",
            "123-45-67890",
        ],
    );
    assert_hidden(ValueKind::Mac, &["00:1a:2B:3c:4d:5e", "00-1A-2B-3C-4D-5E"]);
    assert_kept(
        ValueKind::Mac,
        &["00:1a:2B:3c:4d", "00:1a-2B:3c:4d:5e", "00:1a:2B:3c:4d:5e:6f", "2024-01-02T03:04:05"],
    );
    assert_hidden(ValueKind::Imei, &["490154203237518"]);
    assert_kept(ValueKind::Imei, &["490154203237519", "49015420323751", "4901542032375180"]);
}

#[test]
fn values_are_hidden_in_every_place() {
    let masker = masker();
    assert_eq!(masker.query_cow("to=ada%40example.org&card=4111+1111+1111+1111&n=7"), "to=***&card=***&n=7");
    assert_eq!(masker.path_cow("/users/ada@example.org/x", "/users/{id}/x"), "/users/***/x");
    let mut out = String::new();
    masker.header("x-note", "mail ada@example.org now", &mut out).unwrap();
    masker.url("https://h/ada@example.org?iban=DE89370400440532013000", &mut out).unwrap();
    assert_eq!(out, "mail *** nowhttps://h/***?iban=***");
    let body = br#"{"a":"4111 1111 1111 1111","n":4111111111111111,"m":12,"b":["x \u0061da@example.org"],"k@example.org":1}"#;
    let (mut json, mut out) = (masker.json(), Vec::new());
    json.push(body, &mut out);
    let _end = json.finish(false, &mut out);
    assert_eq!(str::from_utf8(&out).unwrap(), r#"{"a":"***","n":"***","m":12,"b":["x ***"],"***":1}"#);
    assert_eq!(masker.masked_total(), 10);
}

#[test]
fn the_beginning_of_a_value_is_left_out_where_a_text_is_cut() {
    let masker = masker();
    let values = [
        "4111 1111 1111 1111",
        "DE89 3704 0044 0532 0130 00",
        "ada@example.org",
        "123-45-6789",
        "AKIAIOSFODNN7EXAMPLE",
    ];
    for value in values {
        let text = format!("the value: {value}");
        for end in "the value: ".len()..text.len() {
            let shown = masker.cut_text_cow(&text[..end]).into_owned();
            let tail = shown.strip_prefix("the").unwrap();
            assert!([" value: ", " value:", "", " "].contains(&tail), "{end} {shown:?}");
            let mut out = String::new();
            masker.body(
                Some("application/json"),
                None,
                format!("[\"{}", &text[..end]).as_bytes(),
                true,
                &mut out,
            );
            assert!(out.len() <= "[\"the value: \"]".len(), "{out}");
        }
    }
}

#[test]
fn actions_hold_for_values_too() {
    let masker = Masker::builder().value_as(ValueKind::Card, Action::KeepLast4).build().unwrap();
    assert_eq!(masker.text_cow("by 4111-1111-1111-1111."), "by [REDACTED]1111.");
    assert_eq!(masker.text_cow("by [REDACTED]1111."), "by [REDACTED]1111.");
}

#[cfg(feature = "regex")]
#[test]
fn patterns_of_the_user_hide_what_they_match() {
    let masker = Masker::builder().pattern(r"\bCUST-\d{6}\b").censor("***").build().unwrap();
    assert_eq!(masker.text_cow("CUST-123456 and CUST-1234567"), "*** and CUST-1234567");
    assert_eq!(masker.query_cow("c=CUST%2D123456"), "c=***");
    let long = "x ".repeat(200);
    assert!(!masker.cut_text_cow(&format!("{long}CUST-123")).contains("CUST"));
    for pattern in ["(", "a{1000000}"] {
        assert!(Masker::builder().pattern(pattern).build().is_err(), "{pattern}");
    }
    assert_eq!(Masker::builder().pattern("x*").build().unwrap().text_cow("axxb"), "a[REDACTED]b");
}

#[test]
fn hostile_text_takes_linear_time() {
    let masker = masker();
    for part in [
        "4",
        "4 ",
        "4-",
        "eyJ",
        "eyJ.",
        "eyJ-",
        "@",
        "a@",
        "a@b.",
        "AKIA",
        "DE89",
        "de89 ",
        "ghp_a",
        "-----BEGIN ",
        "00:",
        "-----BEGIN PRIVATE KEY-----",
        "1-",
    ] {
        let text = part.repeat((1 << 18) / part.len());
        let started = Instant::now();
        let _masked = masker.text_cow(&text);
        let _masked = masker.cut_text_cow(&text);
        let _masked = masker.query_cow(&text);
        assert!(started.elapsed().as_secs() < 20, "{part}");
    }
}
