use serde_json::{Value, json};

use crate::{BodyForm, Masker};

fn masked(body: &[u8], cut: bool) -> (BodyForm, String) {
    let mut out = String::new();
    let body =
        Masker::default().body(Some("multipart/form-data; boundary=\"=_x\""), None, body, cut, &mut out);
    (body.form, out)
}

const BODY: &str = concat!(
    "preamble\r\n--=_x\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nada \"l\"\r\n\r\n",
    "\r\n--=_x\r\ncontent-disposition: form-data; name=\"user[password]\"\r\n\r\nZQ7\r\n--ZQ7",
    "\r\n--=_x \r\nContent-Disposition: form-data; name=photo; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nZQ7\0",
    "\r\n--=_x\r\nContent-Disposition: form-data; name=\"doc\"\r\nContent-Type: application/json\r\n\r\n{\"pin\": \"ZQ7\"}",
    "\r\n--=_x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\ntoken=ZQ7",
    "\r\n--=_x\r\nContent-Disposition: form-data; name=\"otp\"\r\n\r\n",
    "\r\n--=_x\r\nContent-Disposition: form-data; name=\"xml\"\r\nContent-Type: text/xml\r\n\r\n<pin>ZQ7</pin>",
    "\r\n--=_x--\r\nepilogue"
);

#[test]
fn fields_are_masked_by_name_and_files_dropped() {
    let (form, out) = masked(BODY.as_bytes(), false);
    assert_eq!(form, BodyForm::Multipart);
    let expected = json!([
        {"name": "user", "value": "ada \"l\"\r\n\r\n"},
        {"name": "user[password]", "value": "[REDACTED]"},
        {"name": "photo", "filename": "a.png", "content_type": "image/png", "bytes": 4},
        {"name": "doc", "value": "{\"pin\":\"[REDACTED]\"}"},
        {"name": "note", "value": "token=[REDACTED]"},
        {"name": "otp", "value": ""},
        {"name": "xml", "content_type": "text/xml", "bytes": 14},
    ]);
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), expected);
}

#[test]
fn every_cut_is_valid_and_shows_no_secret() {
    for end in 0..=BODY.len() {
        let (form, out) = masked(&BODY.as_bytes()[..end], true);
        assert_eq!(form, BodyForm::Multipart, "{end}");
        assert!(serde_json::from_str::<Value>(&out).is_ok_and(|value| value.is_array()), "{out}");
        assert!(!out.contains("ZQ7"), "{out}");
    }
}

#[test]
fn what_is_no_multipart_is_replaced() {
    for body in [
        "",
        "hunter2",
        "--=_x",
        "--=_x\r\nname=hunter2",
        "--=_x\r\nContent-Disposition: form-data\r\n\r\nhunter2\r\n--=_x--",
        "--=_x\r\nContent-Disposition: form-data; name=a\r\n\r\nhunter2",
        "--=_xhunter2\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--=_x--",
    ] {
        let (form, out) = masked(body.as_bytes(), false);
        assert!(form == BodyForm::Placeholder || body.is_empty(), "{body} -> {out}");
        assert!(!out.contains("hunter2"), "{out}");
    }
}
