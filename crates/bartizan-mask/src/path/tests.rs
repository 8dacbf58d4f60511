use std::borrow::Cow;

use proptest::prelude::*;

use super::Segment;
use crate::Masker;

fn assert_masked(cases: &[(&str, &str, &str)]) {
    let masker = Masker::builder().censor("***").build().unwrap();
    for (path, template, expected) in cases {
        assert_eq!(masker.path_cow(path, template), *expected, "{path} by {template}");
        let mut out = String::new();
        masker.path(path, template, &mut out).unwrap();
        assert_eq!(out, *expected, "{path} by {template}");
    }
}

#[test]
fn segments_of_sensitive_parameters_are_masked() {
    assert_masked(&[
        ("/", "/", "/"),
        ("/users/7/x", "/users/{id}/x", "/users/7/x"),
        ("/users/4f/x", "/users/{token}/x", "/users/***/x"),
        ("/a/4f/b/5e", "/a/{api_key}/b/{userPassword}", "/a/***/b/***"),
        ("/users/4f/x", "/users/:token/x", "/users/***/x"),
        ("/users/4f.json", "/users/{token}.json", "/users/***"),
        ("/users//x", "/users/{token}/x", "/users//x"),
    ]);
}

#[test]
fn a_sensitive_wildcard_masks_the_rest() {
    assert_masked(&[
        ("/f/a/b/c", "/f/{*path}", "/f/a/b/c"),
        ("/f/a/b/c", "/f/{*secret}", "/f/***"),
        ("/f/a/b/c", "/f/{token}/{*path}", "/f/***/b/c"),
    ]);
}

#[test]
fn doubled_braces_are_literal() {
    assert_masked(&[
        ("/{x}/4f", "/{{x}}/{token}", "/{x}/***"),
        ("/{token}/4f", "/{{token}}/{id}", "/{token}/4f"),
    ]);
}

#[test]
fn a_template_may_stand_for_the_beginning_or_be_stripped_of_its_own() {
    assert_masked(&[
        ("/t/4f/inner/page", "/t/{token}", "/t/***/inner/page"),
        ("/t/4f/", "/t/{token}", "/t/***/"),
        ("/4f/x", "/users/{token}/x", "/***/x"),
        ("/4f", "/api/{tenant}/reset/{token}", "/***"),
    ]);
}

#[test]
fn a_path_that_does_not_fit_is_kept_without_what_it_carries() {
    assert_masked(&[
        ("/other/4f", "/users/{token}", "/other/4f"),
        ("/other/4f", "", "/other/4f"),
        ("/a;token=x/b", "/users/{id}", "/a;token=***/b"),
        ("/users/7;token=x", "/users/{id}", "/users/7;token=***"),
        ("/a;token=x;b=1/c", "/a;token=x;b=1/{id}", "/a;token=***/c"),
        ("http://ada:x@h/p", "", "http://REDACTED:REDACTED@h/p"),
        ("*", "", "*"),
        ("", "", ""),
        ("", "/{token}", ""),
    ]);
}

#[test]
fn odd_templates_do_no_harm() {
    assert_masked(&[
        ("/a/b", "/{token", "/***/b"),
        ("/a/b", "/}{/{token}", "/a/***"),
        ("/a", "{", "/a"),
        ("/a", "/{}", "/a"),
        ("/a/b", "/{*}/x", "/a/b"),
        ("/a", "////", "/a"),
    ]);
}

#[test]
fn bytes_outside_printable_ascii_are_percent_encoded() {
    let masker = Masker::default();
    assert_eq!(masker.path_cow("/ä/\n", "/{a}/{b}"), "/%C3%A4/%0A");
    assert!(matches!(masker.path_cow("/a/%C3", "/{a}/{b}"), Cow::Borrowed(_)));
    let mut out = String::new();
    masker.path(b"/\xFF/4f", "/{a}/{token}", &mut out).unwrap();
    assert_eq!(out, "/%FF/[REDACTED]");
}

#[test]
fn a_long_path_is_masked() {
    let path = format!("/{}/{}", "a/".repeat(1 << 15), "s".repeat(1 << 16));
    let masked = Masker::default().path_cow(&path, "/{*secret}").into_owned();
    assert_eq!(masked, "/[REDACTED]");
}

#[test]
fn a_verdict_on_a_template_is_the_maskers_own() {
    let (strict, lax) = (Masker::default(), Masker::builder().replace_names(["id"]).build().unwrap());
    for (template, by_default, by_id) in
        [("/a/{token}", "/a/[REDACTED]", "/a/x"), ("/a/{id}", "/a/x", "/a/[REDACTED]")]
    {
        assert_eq!(strict.path_cow("/a/x", template), by_default);
        assert_eq!(lax.path_cow("/a/x", template), by_id);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn a_template_is_sensitive_if_one_of_its_segments_is(parts in prop::collection::vec(prop::sample::select(&[
        "/", "/", "{", "}", ":", "{{", "{*", "token", "id", "pin", "=", "%70in", "a-long-literal-in-between",
    ][..]), 0..12)) {
        let (masker, template) = (Masker::default(), parts.concat());
        let sensitive = template.split('/').any(|segment| match Segment::of(segment.as_bytes()) {
            Segment::Literal => false,
            Segment::Parameter(name) | Segment::Rest(name) => masker.is_sensitive_bytes(name),
        });
        prop_assert_eq!(masker.sensitive_template(&template).is_some(), sensitive);
    }
}
