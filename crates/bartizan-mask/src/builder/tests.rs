use crate::{MaskError, Masker};

#[test]
fn an_unsafe_censor_is_refused() {
    for (censor, found) in
        [("a b", ' '), ("\n", '\n'), ("\"x\"", '"'), ("\\", '\\'), ("a&b", '&'), ("…", '…')]
    {
        let error = Masker::builder().censor(censor).build().unwrap_err();
        assert_eq!(error, MaskError::CensorCharacter { found });
    }
    assert_eq!(Masker::builder().censor("").build().unwrap_err(), MaskError::CensorLength { bytes: 0 });
    assert!(Masker::builder().censor("*".repeat(64)).build().is_ok());
    assert!(Masker::builder().censor("*".repeat(65)).build().is_err());
}

#[test]
fn a_name_that_cannot_match_is_refused() {
    for name in ["", " ", "-_.", "[]"] {
        assert_eq!(
            Masker::builder().name(name).build().unwrap_err(),
            MaskError::EmptyName { name: name.into() }
        );
    }
    assert!(Masker::builder().allow("").build().is_err());
    assert!(Masker::builder().name("n".repeat(128)).build().is_ok());
    let error = Masker::builder().name("n".repeat(129)).build().unwrap_err();
    assert!(error.to_string().contains("129"), "{error}");
}

#[test]
fn a_default_name_that_is_added_again_hides_no_less() {
    let masker = Masker::builder().replace_names(["password", "card"]).build().unwrap();
    for name in ["dbpassword", "card", "loyalty_card"] {
        assert!(masker.is_sensitive(name), "{name}");
    }
    let masker = Masker::builder().whole_name("token").build().unwrap();
    assert!(masker.is_sensitive("token") && !masker.is_sensitive("page_token"));
    assert!(masker.is_sensitive("access_token"));
}

#[test]
fn an_allowed_name_is_shown_and_names_that_end_in_it_are_not() {
    let masker = Masker::builder().allow("token").allow("csrf-token").build().unwrap();
    for name in ["token", "page.token", "csrf_token", "csrfToken"] {
        assert!(!masker.is_sensitive(name), "{name}");
    }
    for name in ["user_token", "access_token", "my_csrf_token"] {
        assert!(masker.is_sensitive(name), "{name}");
    }
}

#[test]
fn what_has_no_name_is_not_shown_where_only_some_names_are() {
    let masker = Masker::builder().censor("***").show_only(["id"]).build().unwrap();
    for (query, expected) in
        [("x", "***"), ("id=1&x&&y=2", "id=1&***&&y=***"), ("id=1&id", "id=1&***"), ("", "")]
    {
        assert_eq!(masker.query_cow(query), expected);
        assert_eq!(masker.query_cow(expected), expected);
    }
    let multipart = b"--x\r\nContent-Disposition: form-data; name=a; filename=x\r\n\r\n1\r\n--x--";
    for (content_type, body, expected) in [
        ("text/plain", &b"x"[..], "[text/plain, 1 bytes]"),
        ("application/x-www-form-urlencoded", b"x", "***"),
        ("multipart/form-data; boundary=x", multipart, r#"[{"name":"a","filename":"***","bytes":1}]"#),
    ] {
        let mut out = String::new();
        masker.body(Some(content_type), None, body, false, &mut out);
        assert_eq!(out, expected);
    }
}
