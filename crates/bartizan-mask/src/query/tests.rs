use std::borrow::Cow;

use crate::Masker;

fn assert_masked(cases: &[(&str, &str)]) {
    let masker = Masker::builder().censor("***").build().unwrap();
    for (query, expected) in cases {
        assert_eq!(masker.query_cow(query), *expected, "{query}");
        let mut out = String::new();
        let count = masker.query(query, &mut out).unwrap();
        assert_eq!(out, *expected, "{query}");
        assert_eq!(
            count,
            expected.matches("***").count()
                + expected.matches("REDACTED@").count()
                + expected.matches("REDACTED%40").count(),
            "{query}"
        );
        assert_eq!(masker.query_cow(&out), out, "masking is idempotent: {query}");
    }
}

#[test]
fn values_of_sensitive_names_are_masked_and_the_rest_is_kept() {
    assert_masked(&[
        ("", ""),
        ("a=1&b=2", "a=1&b=2"),
        ("a=1&password=x&b=2", "a=1&password=***&b=2"),
        ("token=a&token=b", "token=***&token=***"),
        ("token=a+b%20c", "token=***"),
        ("pass%77ord=x&API%2DKEY=y", "pass%77ord=***&API%2DKEY=***"),
        (
            "user[password]=x&user%5Bpin%5D=1&filter.password=y",
            "user[password]=***&user%5Bpin%5D=***&filter.password=***",
        ),
        ("password[]=x&password[0][v]=y", "password[]=***&password[0][v]=***"),
        ("X-Amz-Signature=4f&AWSAccessKeyId=AK&sig=s", "X-Amz-Signature=***&AWSAccessKeyId=***&sig=***"),
    ]);
}

#[test]
fn odd_syntax_is_kept_and_leaks_nothing() {
    assert_masked(&[
        ("&", "&"),
        ("&&", "&&"),
        ("=", "="),
        ("==", "=="),
        ("=x", "=x"),
        ("&&=&", "&&=&"),
        ("a", "a"),
        ("secretvalue", "secretvalue"),
        ("password", "password"),
        ("password=", "password="),
        ("password==", "password=***"),
        ("password==x=", "password=***"),
        ("a==password=x", "a==password=***"),
        ("&&password=x&&", "&&password=***&&"),
        ("%", "%"),
        ("%=%", "%=%"),
        ("a=%&b=%2", "a=%&b=%2"),
        ("password=%", "password=***"),
        ("%70assword=%2", "%70assword=***"),
        ("?password=x", "?password=***"),
    ]);
}

#[test]
fn a_sensitive_pair_inside_a_value_is_masked_to_the_end() {
    assert_masked(&[
        ("a=1;password=x&b=2", "a=1;password=***&b=2"),
        ("a;password=x;b=2", "a;password=***"),
        ("next=/reset?token=x&b=2", "next=/reset?token=***&b=2"),
        ("next=%2Freset%3Fa%3D1%26token%3Dx%26b%3D2&c=3", "next=%2Freset%3Fa%3D1%26token%3D***&c=3"),
        ("next=%252Freset%253Ftoken%253Dx", "next=%252Freset%253Ftoken%253D***"),
        ("password%3Dx", "password%3D***"),
        ("f={\"a\":1,\"password\":\"x\"}&b=2", "f={\"a\":1,\"password\":***&b=2"),
        ("f=%7B%22pin%22%3A+1234%7D", "f=%7B%22pin%22%3A***"),
        ("f={\\\"pin\\\" : 1}", "f={\\\"pin\\\" :***"),
        ("f=%7B%22tok%5Cu0065n%22%3A%22x%22%7D&b=2", "f=%7B%22tok%5Cu0065n%22%3A***&b=2"),
        ("f={\"\\u0070in\":\"x\"}&b=2", "f={\"\\u0070in\":***&b=2"),
        ("f={\\\"p\\\\u0069n\\\":1}", "f={\\\"p\\\\u0069n\\\":***"),
        ("query=%7Blogin(password%3A%22x%22)%7D", "query=%7Blogin(password%3A***"),
        ("query={login(password: \\\"x\\\")}", "query={login(password:***"),
        ("{\"password\":\"x\",\"a\":\"b=c\"}", "{\"password\":***"),
        ("{\"password\":\"x=y\"}&b=2", "{\"password\":***&b=2"),
        ("u=https://ada:x@h/p", "u=https://REDACTED:REDACTED@h/p"),
        ("u=https%3A%2F%2Fada%3Ax%40h%2Fp", "u=https%3A%2F%2FREDACTED%40h%2Fp"),
        ("u=https://a@b@h/?token=x", "u=https://REDACTED@h/?token=***"),
    ]);
}

#[test]
fn a_value_that_only_looks_like_a_pair_is_kept() {
    assert_masked(&[
        ("f={\"n\\u00e4me\":1}&p=c:\\users", "f={\"n\\u00e4me\":1}&p=c:\\users"),
        ("scope=token:read+session:write", "scope=token:read+session:write"),
        ("at=12:30&url=https://h:80/p@q", "at=12:30&url=https://h:80/p@q"),
        ("mail=a@b.example&x=//a@b", "mail=a@b.example&x=//a@b"),
        ("q=a%3Db%26c%3Dd", "q=a%3Db%26c%3Dd"),
    ]);
}

#[test]
fn bytes_outside_printable_ascii_are_percent_encoded() {
    let masker = Masker::default();
    assert_eq!(masker.query_cow("q=ä\r\n\u{7f}&x"), "q=%C3%A4%0D%0A%7F&x");
    let mut out = String::new();
    assert_eq!(masker.query(b"\xFFq=\xC3\0&pin=\xFF", &mut out), Ok(1));
    assert_eq!(out, "%FFq=%C3%00&pin=[REDACTED]");
}

#[test]
fn nothing_is_copied_when_nothing_changes() {
    let masker = Masker::default();
    for query in ["", "a=1", "a=1&b=%20", "password=", "token=[REDACTED]"] {
        assert!(matches!(masker.query_cow(query), Cow::Borrowed(_)), "{query}");
    }
}

#[test]
fn long_values_and_many_pairs_are_masked() {
    let masker = Masker::default();
    let secret = "s3cr3t".repeat(1 << 14);
    assert_eq!(masker.query_cow(&format!("a=1&password={secret}&b=2")), "a=1&password=[REDACTED]&b=2");
    assert_eq!(masker.query_cow(&format!("{}=x", "n".repeat(1 << 16))).len(), (1 << 16) + 11);
    let many = "pin=1&".repeat(1 << 12);
    assert_eq!(masker.query(&many, &mut String::new()), Ok(1 << 12));
}

#[test]
fn an_error_of_the_writer_is_passed_on() {
    struct Full;
    impl std::fmt::Write for Full {
        fn write_str(&mut self, _: &str) -> std::fmt::Result {
            Err(std::fmt::Error)
        }
    }
    assert!(Masker::default().query("a=1&pin=2", &mut Full).is_err());
    let dynamic: &mut dyn std::fmt::Write = &mut Full;
    assert!(Masker::default().form("a=1", dynamic).is_err());
}
