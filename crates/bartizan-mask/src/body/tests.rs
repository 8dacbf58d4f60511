use super::BodyForm;
use crate::Masker;

#[track_caller]
fn assert_body(content_type: Option<&str>, captured: &[u8], cut: bool, expected: (BodyForm, &str)) {
    let mut out = String::from("before ");
    let body = Masker::default().body(content_type, None, captured, cut, &mut out);
    assert_eq!((body.form, out.as_str()), (expected.0, format!("before {}", expected.1).as_str()));
}

#[test]
fn a_body_is_masked_by_its_type() {
    let json = Some("application/json; charset=utf-8");
    assert_body(json, b"{\"pin\": 1, \"a\": 2}", false, (BodyForm::Json, r#"{"pin":"[REDACTED]","a":2}"#));
    assert_body(json, b"{\"pin\": 1, \"a\": 2", true, (BodyForm::Json, r#"{"pin":"[REDACTED]"}"#));
    assert_body(Some("a/b+json"), b"[1]", false, (BodyForm::Json, "[1]"));
    assert_body(
        Some("application/jsonl"),
        b"[1]\n{\"otp\":2}\n",
        false,
        (BodyForm::JsonLines, "[1]\n{\"otp\":\"[REDACTED]\"}"),
    );
    let form = Some("application/x-www-form-urlencoded");
    assert_body(form, b"a=1&pin=2", false, (BodyForm::Form, "a=1&pin=[REDACTED]"));
    assert_body(
        form,
        b"a=1&next=https://ada:hu",
        true,
        (BodyForm::Form, "a=1&next=https://REDACTED:REDACTED"),
    );
    assert_body(
        form,
        b" {\"password\":\"x&y=z\",\"a\":\"b=c\"}",
        false,
        (BodyForm::Json, r#"{"password":"[REDACTED]","a":"b=c"}"#),
    );
    assert_body(Some("text/plain"), b"pin=2 \xC3\xA4\xC3", true, (BodyForm::Text, "pin=[REDACTED] ä"));
    assert_body(
        Some("text/plain; charset=latin1"),
        b"\xE4 pin=2",
        false,
        (BodyForm::Text, "ä pin=[REDACTED]"),
    );
    assert_body(None, b"", false, (BodyForm::Empty, ""));
    assert_body(json, b"", true, (BodyForm::Json, "null"));
}

#[test]
fn what_cannot_be_read_is_replaced() {
    for (content_type, captured, cut, expected) in [
        (Some("application/json"), &b"{\"pin\": hunter2}"[..], false, "[application/json, 16 bytes]"),
        (Some("application/json"), b"{\"pin\": 1", false, "[application/json, 9 bytes]"),
        (Some("application/jsonl"), b"1\nx", false, "[application/jsonl, 3 bytes]"),
        (Some("application/json"), b"x", true, "[application/json, 1 bytes and more]"),
        (Some("text/html"), b"<input name=pin value=1>", false, "[text/html, 24 bytes]"),
        (Some("text/xml"), b"<pin>1</pin>", false, "[text/xml, 12 bytes]"),
        (
            Some("application/x-www-form-urlencoded"),
            b"{pin: 1}",
            false,
            "[application/x-www-form-urlencoded, 8 bytes]",
        ),
        (
            Some("application/x-www-form-urlencoded"),
            b"<pin>1</pin>",
            false,
            "[application/x-www-form-urlencoded, 12 bytes]",
        ),
        (
            Some("application/x-www-form-urlencoded"),
            b"--x\r\n1",
            false,
            "[application/x-www-form-urlencoded, 6 bytes]",
        ),
        (Some("text/csv"), b"pin\n1", false, "[text/csv, 5 bytes]"),
        (Some("text/plain; charset=utf-16"), b"p\0i\0n\0=\0", false, "[text/plain, 8 bytes]"),
        (Some("text/plain"), b"p\0i\0n\0=\0", false, "[text/plain, 8 bytes]"),
        (Some("text/plain"), b"\xFFpin", false, "[text/plain, 4 bytes]"),
        (Some("multipart/form-data"), b"--x", false, "[multipart/form-data, 3 bytes]"),
        (None, b"hunter2", false, "[unknown type, 7 bytes]"),
    ] {
        assert_body(content_type, captured, cut, (BodyForm::Placeholder, expected));
    }
}

#[test]
fn an_encoding_that_is_not_known_is_not_shown() {
    let masker = Masker::default();
    for encoding in ["br", "zstd", "gzip, gzip", "x"] {
        let mut out = String::new();
        masker.body(Some("application/json"), Some(encoding), b"[1]", false, &mut out);
        assert_eq!(out, "[application/json, 3 bytes]");
    }
    assert_eq!(masker.placeholders_total(), 4);
    let mut out = String::new();
    masker.body(Some("application/json"), Some(" Identity"), b"[1]", false, &mut out);
    assert_eq!(out, "[1]");
}

#[cfg(feature = "gzip")]
mod packed {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use crate::{BodyForm, MaskedBody, Masker};

    fn masked(encoding: &str, packed: &[u8], cut: bool) -> (MaskedBody, String) {
        let mut out = String::new();
        let body = Masker::default().body(Some("application/json"), Some(encoding), packed, cut, &mut out);
        (body, out)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_packed_body_is_masked_as_what_it_unpacks_to() {
        let text = br#"{"pin": 1, "a": [2, 3]}"#;
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(text).unwrap();
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
        deflate.write_all(text).unwrap();
        let all = [
            ("gzip", gzip(text)),
            ("deflate", zlib.finish().unwrap()),
            ("Deflate", deflate.finish().unwrap()),
        ];
        for (encoding, packed) in all {
            let (body, out) = masked(encoding, &packed, false);
            assert_eq!(body, MaskedBody { form: BodyForm::Json, cut: false });
            assert_eq!(out, r#"{"pin":"[REDACTED]","a":[2,3]}"#);
            for end in 0..packed.len() {
                let (body, out) = masked(encoding, &packed[..end], true);
                assert!(body.cut, "{encoding} {end}");
                assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "{out}");
            }
            assert_eq!(masked(encoding, &packed[..packed.len() / 2], false).0.form, BodyForm::Placeholder);
        }
        assert_eq!(masked("gzip", b"no gzip", false).0.form, BodyForm::Placeholder);
    }

    #[test]
    fn a_bomb_unpacks_to_no_more_than_the_limit() {
        let bomb = gzip(format!("\"{}\"", "x".repeat(64 << 20)).as_bytes());
        assert!(bomb.len() < 128 << 10);
        let (body, out) = masked("gzip", &bomb, false);
        assert_eq!(body, MaskedBody { form: BodyForm::Json, cut: true });
        assert_eq!(out, format!("\"[{} bytes]\"", 4 * bomb.len() - 1));
        let small = gzip(format!("[{}0]", "0,".repeat(1 << 20)).as_bytes());
        assert!(small.len() < 8 << 10);
        assert!(masked("gzip", &small, false).1.len() <= 64 << 10);
    }
}
