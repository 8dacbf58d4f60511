use super::{is_end, span};

#[track_caller]
fn value(text: &str) -> &str {
    &text[span(text.as_bytes(), 0, false, "***")]
}

#[test]
fn a_bare_value_ends_at_a_delimiter() {
    for end in [" ", "\t", "\n", ",", ";", "&", ")", "}", "]", "\0", "\u{1b}"] {
        assert_eq!(value(&format!("x{end}y")), "x", "{end:?}");
    }
    assert!(!is_end(b'='));
}

#[test]
fn a_quotation_mark_counts_by_its_backslashes() {
    assert_eq!(value(r#""a\"b" c"#), r#"a\"b"#);
    assert_eq!(value(r#""a\\" c"#), r"a\\");
    assert_eq!(value(r#"\"a\\\"b\" c"#), r#"a\\\"b"#);
    assert_eq!(value(r#"\"a\\\\\" c"#), r"a\\\\");
    assert_eq!(value(r#"\"a" c"#), "a");
    assert_eq!(value(r#"\\\"a\\\" c"#), "a");
}

#[test]
fn a_group_belongs_to_the_value() {
    assert_eq!(value("f(a, [b; 2]) c"), "f(a, [b; 2])");
    assert_eq!(value("A { b: ')' } c"), "A { b: ')' }");
    assert_eq!(value("a(b)c d"), "a(b)c");
    assert_eq!(value("a-b { c"), "a-b");
}

#[test]
fn a_credential_belongs_to_its_scheme() {
    assert_eq!(value("Bearer x y"), "Bearer x");
    assert_eq!(
        value("AWS4-HMAC-SHA256 Credential=a, Signature=b\nc"),
        "AWS4-HMAC-SHA256 Credential=a, Signature=b"
    );
    assert_eq!(value("Bearer"), "Bearer");
}
