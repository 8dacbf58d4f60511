use serde_json::{Value, json};

use super::JsonEnd;
use super::stack::MAX_DEPTH;
use super::token::{MAX_STRING_BYTES, MAX_WORD_BYTES};
use crate::{Action, Masker};

fn masker() -> Masker {
    Masker::builder().censor("***").build().unwrap()
}

/// Masks the chunks as one document.
fn masked<'c>(chunks: impl IntoIterator<Item = &'c [u8]>, cut: bool) -> (JsonEnd, Vec<u8>) {
    let (mut json, mut out) = (masker().json(), Vec::new());
    chunks.into_iter().for_each(|chunk| json.push(chunk, &mut out));
    (json.finish(cut, &mut out), out)
}

/// Masks a whole document, and the same in all splits into two and into single bytes.
#[track_caller]
fn whole(text: &[u8]) -> (JsonEnd, String) {
    let expected = masked([text], false);
    for at in 0..=text.len() {
        assert_eq!(masked([&text[..at], &text[at..]], false), expected, "{} at {at}", text.escape_ascii());
    }
    assert_eq!(masked(text.chunks(1), false), expected, "{}", text.escape_ascii());
    (expected.0, String::from_utf8(expected.1).unwrap())
}

#[track_caller]
fn assert_masked(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(whole(text.as_bytes()), (JsonEnd::Complete, (*expected).to_owned()), "{text}");
        assert!(serde_json::from_str::<Value>(expected).is_ok(), "{expected}");
        let (end, again) = whole(expected.as_bytes());
        assert_eq!((end, again.as_str()), (JsonEnd::Complete, *expected), "masking is idempotent");
    }
}

#[test]
fn values_under_sensitive_names_are_replaced_whole_at_any_depth() {
    assert_masked(&[
        (r#"{"password":"x","a":1}"#, r#"{"password":"***","a":1}"#),
        (r#"{"a":{"b":[{"apiKey":12.5}]}}"#, r#"{"a":{"b":[{"apiKey":"***"}]}}"#),
        (r#"{"pin":[1,[2,{"a":"]}"}]],"b":{}}"#, r#"{"pin":"***","b":{}}"#),
        (r#"{"token":{"a":{"token":"x"},"b":"}"},"c":[]}"#, r#"{"token":"***","c":[]}"#),
        (r#"{"secret":true,"otp":false,"pin":-1e9}"#, r#"{"secret":"***","otp":"***","pin":"***"}"#),
        (r#"{"secret":null,"pin":"","a":null}"#, r#"{"secret":null,"pin":"","a":null}"#),
        (r#"{"pin":{},"otp":[]}"#, r#"{"pin":"***","otp":"***"}"#),
        (r#"{"pin":1,"pin":"x","pin":[2]}"#, r#"{"pin":"***","pin":"***","pin":"***"}"#),
        (r#"{"p\u0061ssword":"x","\u0070in":1}"#, r#"{"p\u0061ssword":"***","\u0070in":"***"}"#),
        (r#"{"user[password]":"x","pass%77ord":"x"}"#, r#"{"user[password]":"***","pass%77ord":"***"}"#),
        (r#"{"token[value]":"x","cards[0]":1}"#, r#"{"token[value]":"***","cards[0]":1}"#),
        (r#"{"":1,"a":"","password_reset_url":"/"}"#, r#"{"":1,"a":"","password_reset_url":"/"}"#),
    ]);
}

#[test]
fn strings_and_names_are_masked_as_text() {
    assert_masked(&[
        (r#"{"e":"dsn password=x y"}"#, r#"{"e":"dsn password=*** y"}"#),
        (r#"{"e":"pass\u0077ord=x\n\"a\""}"#, r#"{"e":"password=***\n\"a\""}"#),
        (r#"{"body":"{\"password\":\"x\",\"a\":1}"}"#, r#"{"body":"{\"password\":\"***\",\"a\":1}"}"#),
        (r#"{"redis://a:x@h":"up"}"#, r#"{"redis://REDACTED:REDACTED@h":"up"}"#),
        (r#"["redis://a:x","redis://a:6379"]"#, r#"["redis://REDACTED:REDACTED","redis://a:6379"]"#),
        (r#"["Bearer x","pin=\u0000"]"#, r#"["Bearer ***","pin=\u0000"]"#),
        (r#""token=x""#, r#""token=***""#),
    ]);
}

#[test]
fn all_else_stays_as_it_is() {
    for text in [
        "0",
        "-1.5e+10",
        "true",
        "null",
        "\"\"",
        "[]",
        "{}",
        "[[[]],{}]",
        r#"["\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00",1E400,123456789012345678901234567890]"#,
        "[\"ä€😀\u{7f}\u{2028}\"]",
        r#"{"a":{"b":[1,2,{"c":null}],"d":"x"},"e":[true,false]}"#,
    ] {
        assert_eq!(whole(text.as_bytes()), (JsonEnd::Complete, text.to_owned()), "{text}");
    }
}

#[test]
fn white_space_and_a_byte_order_mark_are_dropped() {
    assert_eq!(whole(b"\xEF\xBB\xBF [ 1 ,\r\n\t\"a b\" ] \n").1, "[1,\"a b\"]");
    assert_eq!(whole(b" { \"a\" : { } , \"pin\" : [ 1 ] } ").1, "{\"a\":{},\"pin\":\"***\"}");
    for text in ["\u{feff}\u{feff}1", "1\u{feff}", "[1\u{a0}]", "\u{c}1"] {
        assert_eq!(whole(text.as_bytes()).0, JsonEnd::Invalid, "{text:?}");
    }
}

#[test]
fn what_is_removed_leaves_no_comma_and_no_name() {
    let masker = Masker::builder().name_as("pin", Action::Remove).censor("***").build().unwrap();
    let shown = |chunks: &[&[u8]]| {
        let (mut json, mut out) = (masker.json(), Vec::new());
        for chunk in chunks {
            json.push(chunk, &mut out);
        }
        assert_eq!(json.finish(false, &mut out), JsonEnd::Complete);
        String::from_utf8(out).unwrap()
    };
    for (text, expected) in [
        (r#"{"pin":1,"a":2,"b":3}"#, r#"{"a":2,"b":3}"#),
        (r#"{"a":1,"pin":[{"b":2}],"c":"x","pin":null}"#, r#"{"a":1,"c":"x"}"#),
        (r#"{"pin":{"a":1},"b":{"pin":"x"},"c":[]}"#, r#"{"b":{},"c":[]}"#),
        (r#"{"a":1,"pin":"\u0041","otp":[2],"pin":{},"b":[{"pin":1}]}"#, r#"{"a":1,"otp":"***","b":[{}]}"#),
        ("{ \"a\" : 1 ,\n\"pin\" : 2 , \"otp\" : [ ] }", r#"{"a":1,"otp":"***"}"#),
    ] {
        let text = text.as_bytes();
        assert_eq!(shown(&text.chunks(1).collect::<Vec<_>>()), expected);
        for at in 0..=text.len() {
            assert_eq!(shown(&[&text[..at], &text[at..]]), expected, "{} at {at}", text.escape_ascii());
        }
    }
}

#[test]
fn half_a_surrogate_pair_is_replaced() {
    assert_eq!(whole(br#"["\ud83d","\ude00x","\ud83d\u0041","\ud83dA","\ud83d\ud83d\ude00"]"#).1, {
        let half = '\u{fffd}';
        format!(r#"["{half}","{half}x","{half}A","{half}A","{half}😀"]"#)
    });
    assert_eq!(whole(br#"{"\ud800password":"x"}"#).1, "{\"\u{fffd}password\":\"***\"}");
}

#[test]
fn what_is_no_json_is_invalid() {
    for text in [
        "",
        " ",
        "{",
        "x",
        "nul",
        "tru e",
        "[1 2]",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{'a':1}",
        "[1}",
        "{\"a\":1]",
        "]",
        "}",
        "1 2",
        "[] []",
        "{}x",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "\"\u{0}\"",
        "01",
        "1.",
        "+1",
        "-",
        "[1",
        "\"a",
        "{\"a\":[",
        "{1:2}",
        "[\"a\":1]",
        "{\"a\":1:2}",
        "\"a\"\"b\"",
        ":",
        ",",
        "{\"pin\":[1}}",
        "{\"pin\":{\"a\"}}",
        "{\"pin\":\"\\x\"}",
        "{\"pin\":01}",
        "{\"pin\":\"\n\"}",
        "\"\\ud800\n\"",
    ] {
        let (end, _) = whole(text.as_bytes());
        let is_cut = serde_json::from_str::<Value>(text).unwrap_err().is_eof() && !text.trim().is_empty();
        let expected = if is_cut && text != "nul" && text != "1." && text != "-" {
            JsonEnd::Cut
        } else {
            JsonEnd::Invalid
        };
        assert_eq!(end, expected, "{text:?}");
    }
    for text in
        [&b"\"\xFF\""[..], b"\"\xC3\"", b"{\"\xFF\":1}", b"{\"pin\":\"\xFF\"}", b"\xFE", b"\"\xED\xA0\x80\""]
    {
        assert_eq!(masked([text], false).0, JsonEnd::Invalid, "{}", text.escape_ascii());
    }
}

#[test]
fn every_cut_is_closed_and_shows_no_secret() {
    let text = r#" {"a":[1,-2.5,{"b":"x\n\u00e9\ud83d\ude00ä😀","password":"ZQ7\u005a\n\ud83d\ude00ZQ7","pin":12345678}],
        "token":{"k":["ZQ7",{"ZQ7":true}]},"c":null,"url":"http://u:ZQ7@h/?token=ZQ7","d":{"e":[[],{}]}} "#;
    let (_, complete) = whole(text.as_bytes());
    for end in 0..=text.len() {
        let cut = &text.as_bytes()[..end];
        let (ended, out) = masked([cut], true);
        assert_eq!(ended, JsonEnd::Cut);
        for at in 0..=end {
            assert_eq!(masked([&cut[..at], &cut[at..]], true).1, out, "{end} {at}");
        }
        let shown = String::from_utf8(out).unwrap();
        assert!(serde_json::from_str::<Value>(&shown).is_ok(), "{shown}");
        assert!(!shown.contains("ZQ7") && !shown.contains("1234"), "{shown}");
        assert!(shown.len() <= complete.len() + 16, "{shown}");
    }
}

#[test]
fn a_cut_drops_what_is_not_whole() {
    for (text, expected) in [
        ("", "null"),
        ("12", "null"),
        ("tr", "null"),
        ("[12", "[]"),
        ("[12,", "[12]"),
        ("[12,3", "[12]"),
        ("{\"a", "{}"),
        ("{\"a\"", "{}"),
        ("{\"a\":", "{}"),
        ("{\"a\":1", "{}"),
        ("{\"a\":1,\"b\":tru", "{\"a\":1}"),
        ("{\"a\":\"", "{\"a\":\"\"}"),
        ("{\"a\":\"x\\", "{\"a\":\"x\"}"),
        ("{\"a\":\"x\\u00", "{\"a\":\"x\"}"),
        ("{\"a\":\"x\\ud83d", "{\"a\":\"x\"}"),
        ("{\"a\":\"x\\ud83d\\ude0", "{\"a\":\"x\"}"),
        ("{\"a\":\"x\\ud83d\\ude00", "{\"a\":\"x\\ud83d\\ude00\"}"),
        ("{\"pin\":\"", "{\"pin\":\"***\"}"),
        ("{\"pin\":nul", "{}"),
        ("{\"pin\":12", "{}"),
        ("{\"pin\":[", "{\"pin\":\"***\"}"),
        ("[{\"pin\":[{\"a\":", "[{\"pin\":\"***\"}]"),
        ("[[{\"a\":[1],\"b\":{", "[[{\"a\":[1],\"b\":{}}]]"),
        ("[1]", "[1]"),
    ] {
        let (end, out) = masked([text.as_bytes()], true);
        assert_eq!((end, str::from_utf8(&out).unwrap()), (JsonEnd::Cut, expected), "{text}");
    }
    let (_, out) = masked(["[\"aä".as_bytes().get(..4).unwrap()], true);
    assert_eq!(out, b"[\"a\"]");
}

#[test]
fn lines_are_documents_of_their_own() {
    let lines = |text: &str, cut| {
        let (mut json, mut out) = (masker().ndjson(), Vec::new());
        text.as_bytes().chunks(1).for_each(|chunk| json.push(chunk, &mut out));
        (json.finish(cut, &mut out), String::from_utf8(out).unwrap())
    };
    assert_eq!(
        lines("{\"pin\":1}\n\r\n [2]\n\"a\"", false),
        (JsonEnd::Complete, "{\"pin\":\"***\"}\n[2]\n\"a\"".into())
    );
    assert_eq!(lines("\x1e{\"pin\":1}\n\x1e2\n", false), (JsonEnd::Complete, "{\"pin\":\"***\"}\n2".into()));
    assert_eq!(lines("1\n{\"a\":[", true), (JsonEnd::Cut, "1\n{\"a\":[]}".into()));
    assert_eq!(lines("1\n2", true), (JsonEnd::Cut, "1\n".into()));
    assert_eq!(lines("1 2\n", false).0, JsonEnd::Invalid);
    assert_eq!(lines("1\n}", false).0, JsonEnd::Invalid);
}

#[test]
fn depth_is_no_trouble_up_to_the_limit() {
    for depth in [10_000, MAX_DEPTH] {
        let text = format!("{}{{\"pin\":[{}", "[".repeat(depth - 2), "1");
        let (end, out) = masked(text.as_bytes().chunks(7), true);
        assert_eq!(end, JsonEnd::Cut);
        let expected = format!("{}{{\"pin\":\"***\"}}{}", "[".repeat(depth - 2), "]".repeat(depth - 2));
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let hidden = format!("{{\"pin\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert_eq!(masked([hidden.as_bytes()], false), (JsonEnd::Complete, b"{\"pin\":\"***\"}".to_vec()));
    }
    assert_eq!(masked(["[".repeat(MAX_DEPTH + 1).as_bytes()], true).0, JsonEnd::Invalid);
}

#[test]
fn long_tokens_are_bounded() {
    let long = "x".repeat(MAX_STRING_BYTES);
    let (_, out) =
        masked([format!("{{\"a\":\"{long}\",\"b\":\"{long}x\",\"pin\":\"{long}x\"}}").as_bytes()], false);
    let expected = json!({"a": long, "b": format!("[{} bytes]", long.len() + 1), "pin": "***"});
    assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), expected);
    let named = format!("{{\"{long}x\":\"secret\"}}");
    let expected = format!("{{\"[{} bytes]\":\"***\"}}", long.len() + 1);
    for size in [1, 1000, named.len()] {
        assert_eq!(masked(named.as_bytes().chunks(size), false).1, expected.as_bytes());
    }
    let digits = "1".repeat(MAX_WORD_BYTES);
    assert_eq!(masked([format!("[{digits}]").as_bytes()], false).0, JsonEnd::Complete);
    for size in [1, 100, 1000] {
        assert_eq!(masked(format!("[{digits}1]").as_bytes().chunks(size), false).0, JsonEnd::Invalid);
    }
}

#[test]
fn what_is_masked_is_counted_once() {
    let masker = masker();
    let (mut json, mut out) = (masker.json(), Vec::new());
    json.push(br#"{"pin":1,"a":"otp=2","token":[1,2],"cvv":"***","b":{"pin":nul"#, &mut out);
    assert_eq!(masker.masked_total(), 3);
    assert_eq!(json.finish(true, &mut out), JsonEnd::Cut);
    assert_eq!(masker.masked_total(), 3);
    assert_eq!(format!("{:?}", masker.json()), "JsonMasker { state: Begin(0), depth: 0, .. }");
}
