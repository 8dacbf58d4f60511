use crate::Masker;

fn assert_masked(cases: &[(&str, &str)]) {
    let masker = Masker::default();
    for (url, expected) in cases {
        let mut out = String::new();
        masker.url(url, &mut out).unwrap();
        assert_eq!(out, *expected, "{url}");
        let mut again = String::new();
        assert_eq!(masker.url(&out, &mut again), Ok(0), "{url}");
        assert_eq!(again, out, "masking is idempotent: {url}");
    }
}

#[test]
fn user_info_is_masked() {
    assert_masked(&[
        ("https://ada:x@h/p", "https://REDACTED:REDACTED@h/p"),
        ("https://ghp_x@h/p", "https://REDACTED@h/p"),
        ("redis://:x@h:6379/0", "redis://REDACTED:REDACTED@h:6379/0"),
        ("//ada:x@h/p", "//REDACTED:REDACTED@h/p"),
        ("ada:x@h:1/p", "REDACTED:REDACTED@h:1/p"),
        ("https://a:x@y@h", "https://REDACTED:REDACTED@h"),
        ("mongodb://a:x@h1:1,h2:2/db", "mongodb://REDACTED:REDACTED@h1:1,h2:2/db"),
        ("https://@h", "https://@h"),
        ("/to/https://a:x@h/p", "/to/https://REDACTED:REDACTED@h/p"),
    ]);
}

#[test]
fn a_password_that_breaks_the_url_is_masked() {
    assert_masked(&[
        ("postgres://ada:p/ss@h/db", "postgres://REDACTED:REDACTED@h/db"),
        ("postgres://ada:p?ss@h/db?token=x", "postgres://REDACTED:REDACTED@h/db?token=[REDACTED]"),
        ("postgres://ada:p#s/s@h/db", "postgres://REDACTED:REDACTED@h/db"),
        ("postgres://ada:]:1/s@h/db", "postgres://REDACTED:REDACTED@h/db"),
    ]);
}

#[test]
fn an_at_sign_elsewhere_is_no_user_info() {
    assert_masked(&[
        ("https://h/@ada/x@y", "https://h/@ada/x@y"),
        ("https://h:80/?mail=a@b", "https://h:80/?mail=a@b"),
        ("http://[fe80::ab]/?mail=a@b", "http://[fe80::ab]/?mail=a@b"),
        ("http://[::1]:80/@x", "http://[::1]:80/@x"),
        ("/a@b/c", "/a@b/c"),
        ("", ""),
        ("*", "*"),
        ("null", "null"),
    ]);
}

#[test]
fn path_parameters_query_and_fragment_are_masked() {
    assert_masked(&[
        ("/a;jsessionid=x/b?c=1", "/a;jsessionid=[REDACTED]/b?c=1"),
        ("/a;token=x//a:b@c/d", "/a;token=[REDACTED]//a:b@c/d"),
        ("/a?token=x#top", "/a?token=[REDACTED]#top"),
        ("/cb#access_token=x&type=b", "/cb#access_token=[REDACTED]&type=b"),
        ("/cb#/route?token=x", "/cb#/route?token=[REDACTED]"),
        ("?pin=1", "?pin=[REDACTED]"),
        ("#pin=1", "#pin=[REDACTED]"),
        ("/a?x=1?pin=1", "/a?x=1?pin=[REDACTED]"),
    ]);
}

#[test]
fn bytes_outside_printable_ascii_are_percent_encoded() {
    let mut out = String::new();
    Masker::default().url(b"/\xFF?a=\n", &mut out).unwrap();
    assert_eq!(out, "/%FF?a=%0A");
}
