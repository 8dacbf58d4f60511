//! Secrets planted under sensitive names never come out, and everything else does.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use bartizan_mask::Masker;
use proptest::collection::vec;
use proptest::prelude::*;

const CENSOR: &str = "[REDACTED]";

/// Stands in every planted secret, and nowhere else.
const MARK: &str = "ZQ7";

/// A value that holds neither a pair nor a URL.
const PLAIN: &str = "([a-z0-9+/?@.-]|%2[0-46-9A-F]|%[g-z]){0,12}";

fn cases() -> u32 {
    std::env::var("BARTIZAN_MASK_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(10_000)
}

fn masker() -> Masker {
    Masker::builder().cookies_by_name(true).build().unwrap()
}

/// A sensitive name as it may come over the wire: longer, in other case, with other separators, encoded.
fn sensitive_name() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        vec!["password"],
        vec!["api", "key"],
        vec!["token"],
        vec!["client", "secret"],
        vec!["ssn"],
        vec!["session", "id"],
    ]);
    (words, prop::option::of("[a-z]{1,6}"), 0..6_usize, any::<u64>()).prop_map(
        |(words, prefix, form, bits)| {
            let words: Vec<String> =
                prefix.into_iter().chain(words.iter().map(ToString::to_string)).collect();
            let title = |word: &String| word[..1].to_uppercase() + &word[1..];
            match form {
                0 => words.join("_"),
                1 => words.join("-").to_uppercase(),
                2 => words.iter().map(title).collect(),
                3 => format!("user[{}]", words.join("_")),
                4 => format!("a.{}", words.join("-")),
                _ => {
                    words
                        .join("_")
                        .bytes()
                        .enumerate()
                        .map(|(n, byte)| {
                            if bits >> n & 1 == 1 { format!("%{byte:02x}") } else { char::from(byte).into() }
                        })
                        .collect()
                }
            }
        },
    )
}

fn plain_name() -> impl Strategy<Value = String> {
    "[a-z]{1,12}".prop_filter("a sensitive name", |name| !masker().is_sensitive(name))
}

/// Arbitrary bytes with the mark in front and at the end.
fn secret(alphabet: impl Fn(u8) -> bool + Clone + 'static) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>().prop_filter("not in the alphabet", move |byte| alphabet(*byte)), 0..24)
        .prop_map(|bytes| [MARK.as_bytes(), &bytes, MARK.as_bytes()].concat())
}

/// Pairs of a name and a value; those with a secret are true.
fn pairs(
    secret: impl Strategy<Value = Vec<u8>>,
    plain: impl Strategy<Value = String>,
) -> impl Strategy<Value = Vec<(String, Vec<u8>, bool)>> {
    let secret = (sensitive_name(), secret, Just(true));
    let plain = (plain_name(), plain.prop_map(String::into_bytes), Just(false));
    vec(prop_oneof![secret, plain], 0..8)
}

/// The document and what has to come out.
fn document(pairs: &[(String, Vec<u8>, bool)], separator: &str, equals: &str) -> (Vec<u8>, String) {
    let (mut input, mut expected) = (Vec::new(), String::new());
    for (at, (name, value, is_secret)) in pairs.iter().enumerate() {
        let head = format!("{}{name}{equals}", if at > 0 { separator } else { "" });
        input.extend_from_slice(head.as_bytes());
        input.extend_from_slice(value);
        expected.push_str(&head);
        expected.push_str(if *is_secret { CENSOR } else { str::from_utf8(value).unwrap() });
    }
    (input, expected)
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

proptest! {
    // `BARTIZAN_MASK_CASES=1000000` is a longer run.
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn a_query_shows_all_but_its_secrets(pairs in pairs(secret(|byte| byte != b'&'), PLAIN)) {
        let (input, expected) = document(&pairs, "&", "=");
        let mut out = String::new();
        let masked = masker().query(&input, &mut out).unwrap();
        prop_assert_eq!(&out, &expected);
        prop_assert_eq!(masked, pairs.iter().filter(|pair| pair.2).count());
    }

    #[test]
    fn a_cut_body_shows_no_secret(pairs in pairs(secret(|byte| byte != b'&'), PLAIN), cut: prop::sample::Index) {
        let (input, _) = document(&pairs, "&", "=");
        let mut out = String::new();
        masker().form(&input[..cut.index(input.len() + 1)], &mut out).unwrap();
        prop_assert!(!out.contains(MARK), "{}", out);
    }

    #[test]
    fn a_nested_query_shows_no_secret(name in sensitive_name(), secret in "[A-Za-z0-9]{0,9}", depth in 0..4_usize) {
        let mut inner = format!("/a?b=1&{name}={MARK}{secret}");
        for _ in 0..depth {
            inner = inner.bytes().map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            }).collect();
        }
        let mut out = String::new();
        masker().url(format!("/x?next={inner}"), &mut out).unwrap();
        prop_assert!(!out.contains(MARK), "{}", out);
        let text = format!("GET /x?next={inner}");
        prop_assert!(!masker().text_cow(&text).contains(MARK));
    }

    #[test]
    fn cookies_show_all_but_their_secrets(
        pairs in pairs(secret(|byte| !matches!(byte, b';' | b'"')), PLAIN),
    ) {
        let (input, expected) = document(&pairs, "; ", "=");
        let mut out = String::new();
        masker().header("cookie", &input, &mut out).unwrap();
        prop_assert_eq!(&out, &expected);
    }

    #[test]
    fn a_path_shows_all_but_its_secrets(
        segments in vec((prop_oneof![Just("token"), Just("id")], secret(|byte| byte != b'/'), "[a-z0-9@:.-]{1,8}"), 1..6),
    ) {
        let (mut path, mut template, mut expected) = (Vec::new(), String::new(), String::new());
        for (name, secret, plain) in &segments {
            let is_secret = *name == "token";
            path.push(b'/');
            path.extend_from_slice(if is_secret { secret } else { plain.as_bytes() });
            template = format!("{template}/{{{name}}}");
            expected = format!("{expected}/{}", if is_secret { CENSOR } else { plain });
        }
        let mut out = String::new();
        masker().path(&path, &template, &mut out).unwrap();
        prop_assert_eq!(&out, &expected);
    }

    #[test]
    fn user_info_is_never_shown(
        user in "[a-z0-9%.-]{0,6}",
        secret in "[!-~&&[^@\"<>`\\\\]]{0,12}",
        tail in "(/[a-z/]{0,6})?(\\?a=[a-z]{1,4})?",
    ) {
        let url = format!("https://{user}:{MARK}{secret}{MARK}@db.example:80{tail}");
        let expected = format!("https://REDACTED:REDACTED@db.example:80{tail}");
        let mut out = String::new();
        masker().url(&url, &mut out).unwrap();
        prop_assert_eq!(&out, &expected);
        let text = format!("dial {url} failed");
        prop_assert_eq!(masker().text_cow(&text), format!("dial {expected} failed"));
    }

    #[test]
    fn logfmt_and_prose_show_all_but_their_secrets(
        pairs in pairs(
            "[A-Za-z0-9!#$%*+./=?@^_|~:<>ä-]{0,12}".prop_map(|secret| format!("{MARK}{secret}{MARK}").into_bytes()),
            "[a-z0-9./-]{1,12}",
        ),
        separator in prop_oneof![Just(" "), Just(", "), Just("; "), Just("&")],
        equals in prop_oneof![Just("="), Just(" = "), Just("=> ")],
    ) {
        let (input, expected) = document(&pairs, separator, equals);
        prop_assert_eq!(masker().text_cow(str::from_utf8(&input).unwrap()), expected);
    }

    #[test]
    fn quoted_values_of_any_text_are_masked(
        pairs in vec((sensitive_name(), any::<String>(), plain_name(), "[a-z ]{0,9}"), 1..5),
        depth in 0..3_usize,
    ) {
        let (mut text, mut expected) = (String::from("Form {"), String::from("Form {"));
        for (name, secret, plain, value) in &pairs {
            let secret = format!("{MARK}{secret}{MARK}");
            write!(text, " {name:?}: {secret:?}, {plain}: {value:?},").unwrap();
            write!(expected, " {name:?}: \"{CENSOR}\", {plain}: {value:?},").unwrap();
        }
        for _ in 0..depth {
            text = format!("{text:?}");
            expected = format!("{expected:?}");
        }
        prop_assert_eq!(masker().text_cow(&text), expected);
    }

    #[test]
    fn debug_output_of_nested_values_is_masked(
        name in sensitive_name(), secrets in vec(any::<String>(), 0..4), pretty in any::<bool>(),
    ) {
        #[derive(Debug)]
        #[expect(dead_code, reason = "read by `Debug`")]
        struct Inner { some: Option<Vec<String>>, pair: (u8, char) }
        let secrets = secrets.into_iter().map(|secret| format!("{MARK}{secret}{MARK}")).collect();
        let inner = Inner { some: Some(secrets), pair: (1, '"') };
        let inner = if pretty { format!("{inner:#?}") } else { format!("{inner:?}") };
        let text = format!("Outer {{ {name}: {inner}, after: 1 }}");
        prop_assert_eq!(masker().text_cow(&text), format!("Outer {{ {name}: {CENSOR}, after: 1 }}"));
    }

    #[test]
    fn any_cut_of_json_shows_no_secret(
        fields in vec((sensitive_name(), any::<String>(), "[a-z]{1,4}"), 1..4), cut: prop::sample::Index, escaped in any::<bool>(),
    ) {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, secret, plain)| format!("{name:?}:{:?},\"{plain}\":1", format!("{MARK}{secret}{MARK}")))
            .collect();
        let mut text = format!("{{{}}}", fields.join(","));
        if escaped {
            text = format!("{text:?}");
        }
        let end = (0..=cut.index(text.len() + 1)).rev().find(|end| text.is_char_boundary(*end)).unwrap();
        prop_assert!(!masker().text_cow(&text[..end]).contains(MARK));
    }

    #[test]
    fn sensitive_headers_show_nothing(name in sensitive_name(), value in vec(any::<u8>(), 1..64)) {
        let mut out = String::new();
        masker().header(name, value, &mut out).unwrap();
        prop_assert_eq!(out, CENSOR);
    }

    #[test]
    fn any_bytes_come_out_printable(input in vec(any::<u8>(), 0..200), template in "[/a-z{}*:]{0,20}") {
        let masker = masker();
        for name in ["accept", "cookie", "set-cookie", "referer", "x"] {
            let mut out = String::new();
            masker.header(name, &input, &mut out).unwrap();
            prop_assert!(is_printable(&out));
        }
        let mut out = String::new();
        masker.query(&input, &mut out).unwrap();
        masker.url(&input, &mut out).unwrap();
        masker.path(&input, &template, &mut out).unwrap();
        prop_assert!(is_printable(&out));
        masker.is_sensitive_bytes(&input);
    }

    #[test]
    fn any_text_of_marks_is_masked_without_a_panic(
        parts in vec(prop::sample::select(vec![
            "password", "token", "=", ":", "\"", "'", "\\", " ", "{", "}", "(", ")", "[", "]", "%3D", "%", "://", "@",
            "/", "?", "#", ",", ";", "&", "Bearer ", "Basic ", "cookie", "\n", "ä", "x", "REDACTED", "[REDACTED]",
        ]), 0..24),
    ) {
        let text: String = parts.concat();
        let masker = masker();
        let mut out = String::new();
        let masked = masker.text(&text, &mut out).unwrap();
        prop_assert_eq!(masker.text_cow(&text), out.as_str());
        prop_assert_eq!(masked > 0, out != text);
        for query in [masker.query_cow(&text), masker.path_cow(&text, "/{id}/{token}")] {
            prop_assert!(is_printable(&query));
        }
    }
}
