use http::{HeaderName, HeaderValue, header};

use super::{COMMON, Form};
use crate::Masker;

fn masked(masker: &Masker, name: &str, value: impl AsRef<[u8]>) -> String {
    let mut out = String::new();
    masker.header(name, value, &mut out).unwrap();
    out
}

#[test]
fn a_sensitive_header_is_replaced_whole() {
    let masker = Masker::default();
    for name in
        ["authorization", "Authorization", "proxy-authorization", "cookie", "set-cookie", "x-my-api-key"]
    {
        assert_eq!(masked(&masker, name, "Bearer x; a=b"), "[REDACTED]", "{name}");
    }
    assert_eq!(masked(&masker, "authorization", ""), "");
    assert_eq!(masked(&masker, "x-auth-token", b"\xFF\0"), "[REDACTED]");
    assert_eq!(masked(&masker, "authorization", "x".repeat(1 << 16)), "[REDACTED]");
}

#[test]
fn a_value_marked_sensitive_is_replaced_whatever_its_name() {
    let masker = Masker::default();
    let mut value = HeaderValue::from_static("hunter2");
    let name = HeaderName::from_static("x-license");
    let mut out = String::new();
    masker.header_value(&name, &value, &mut out).unwrap();
    value.set_sensitive(true);
    masker.header_value(&name, &value, &mut out).unwrap();
    masker.header_value(&header::AUTHORIZATION, &HeaderValue::from_static("x"), &mut out).unwrap();
    assert_eq!(out, "hunter2[REDACTED][REDACTED]");
}

#[test]
fn ordinary_headers_are_kept() {
    let masker = Masker::default();
    for (name, value) in [
        ("accept", "text/html;q=0.9, */*;q=0.8"),
        ("host", "a.example:8080"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:1.0) Basic/1.0"),
        ("www-authenticate", "Bearer realm=\"api\", error=\"invalid_token\""),
        ("content-disposition", "form-data; name=\"password\"; filename=\"a.txt\""),
        ("date", "Tue, 04 Aug 2026 12:30:00 GMT"),
        ("x-next", "a\"b\\c"),
    ] {
        assert_eq!(masked(&masker, name, value), value, "{name}");
    }
}

#[test]
fn secrets_inside_ordinary_headers_are_masked() {
    let masker = Masker::default();
    for (name, value, expected) in [
        ("host", "ada:x@a.example:8080", "REDACTED:REDACTED@a.example:8080"),
        ("x-forwarded-host", "ada:x@a.example", "REDACTED:REDACTED@a.example"),
        ("referer", "https://ada:x@h/p?token=x&a=1", "https://REDACTED:REDACTED@h/p?token=[REDACTED]&a=1"),
        ("Location", "/cb?n=%2Fx%3Ftoken%3Dx#pin=1", "/cb?n=%2Fx%3Ftoken%3D[REDACTED]#pin=[REDACTED]"),
        ("link", "<https://h/?token=x>; rel=\"next\"", "<https://h/?token=[REDACTED]; rel=\"next\""),
        ("x-info", "user=ada, password=x", "user=ada, password=[REDACTED]"),
        ("x-forwarded-auth", "Bearer 4f.2a", "Bearer [REDACTED]"),
    ] {
        assert_eq!(masked(&masker, name, value), expected, "{name}");
    }
}

#[test]
fn bytes_outside_printable_ascii_are_escaped() {
    let masker = Masker::default();
    assert_eq!(masked(&masker, "x-a", b"a\tb\xE4\r\nc"), "a\\x09b\\xE4\\x0D\\x0Ac");
    assert_eq!(masked(&masker, "referer", b"/\xC3\xA4?pin=\xFF"), "/\\xC3\\xA4?pin=[REDACTED]");
}

#[test]
fn cookies_are_masked_by_name_when_asked() {
    let masker = Masker::builder().cookies_by_name(true).censor("***").build().unwrap();
    for (value, expected) in [
        ("theme=dark; session=x; lang=de", "theme=dark; session=***; lang=de"),
        ("a=1;token=x;b", "a=1;token=***;***"),
        (
            "laravel_session=x; __Host-auth=y; connect.sid=z",
            "laravel_session=***; __Host-auth=***; connect.sid=***",
        ),
        ("PHPSESSID=x; JSESSIONID=y; .ASPXAUTH=z", "PHPSESSID=***; JSESSIONID=***; .ASPXAUTH=z"),
        ("session=\"a;b\"; c=1", "session=***; c=1"),
        ("session=\"a;b; c=1", "session=***"),
        ("session=\"a\"b; c=1", "session=***; c=1"),
        ("hunter2", "***"),
        (" hunter2 ", " *** "),
        ("=hunter2; a=1", "=***; a=1"),
        ("a=b%26token%3Dx; c=1", "a=b%26token%3D***; c=1"),
        ("", ""),
        (";;=;", ";;=;"),
        ("session=;", "session=;"),
    ] {
        assert_eq!(masked(&masker, "Cookie", value), expected, "{value}");
    }
}

#[test]
fn attributes_of_a_set_cookie_are_kept() {
    let masker = Masker::builder().cookies_by_name(true).censor("***").build().unwrap();
    for (value, expected) in [
        ("sid=x; Path=/; HttpOnly; Secure; SameSite=Lax", "sid=***; Path=/; HttpOnly; Secure; SameSite=Lax"),
        (
            "a=1; Expires=Tue, 04 Aug 2026 12:30:00 GMT; Max-Age=1",
            "a=1; Expires=Tue, 04 Aug 2026 12:30:00 GMT; Max-Age=1",
        ),
        ("hunter2; Path=/", "***; Path=/"),
        ("a=1, session=x; Path=/", "a=1, session=***; Path=/"),
    ] {
        assert_eq!(masked(&masker, "set-cookie", value), expected, "{value}");
    }
}

#[test]
fn cookies_go_by_name_where_the_header_is_not_sensitive() {
    let masker = Masker::builder().allow("cookie").build().unwrap();
    assert_eq!(masked(&masker, "cookie", "theme=dark; session=x"), "theme=dark; session=[REDACTED]");
}

#[test]
fn binary_metadata_is_hidden_unless_it_is_allowed() {
    let masker = Masker::builder().allow("grpc-trace-bin").allow("x-tags").build().unwrap();
    for (name, expected) in [
        ("x-token-bin", "[REDACTED]"),
        ("grpc-status-details-bin", "[REDACTED]"),
        ("X-Other-Bin", "[REDACTED]"),
        ("grpc-trace-bin", "AAAB"),
        ("x-tags-bin", "AAAB"),
        ("x-bind", "AAAB"),
    ] {
        let mut out = String::new();
        masker.header(name, "AAAB", &mut out).unwrap();
        assert_eq!(out, expected, "{name}");
    }
}

#[test]
fn a_name_that_is_judged_ahead_is_judged_as_any_other() {
    let lax = Masker::builder().allow("authorization").allow("cookie").whole_name("host").build().unwrap();
    for masker in [Masker::default(), lax, Masker::builder().cookies_by_name(true).build().unwrap()] {
        for name in COMMON {
            let judged = Form::of(name, masker.names(), masker.cookies_by_name());
            assert_eq!(masker.header_form(name), judged, "{name}");
            assert_eq!(masker.header_form(&name.to_uppercase()), judged, "{name}");
        }
    }
}
