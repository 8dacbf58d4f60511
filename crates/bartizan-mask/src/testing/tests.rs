//! The promise, over random documents: no planted secret comes out, what comes out is valid, and all else is unchanged.
//! Each suite runs [`cases`]; `BARTIZAN_MASK_CASES=10000000 cargo test --release -p bartizan-mask planted` is a longer
//! run, and `BARTIZAN_MASK_SEED` begins elsewhere.

use std::env;

use serde_json::Value;

use super::{Document, Plant, assert_absent, find};
use crate::{Action, BodyForm, JsonEnd, Masker};

/// How many cases a suite runs at least.
fn cases() -> usize {
    env::var("BARTIZAN_MASK_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(10_000)
}

/// Runs `suite` on one plant after the other until it has run enough cases, of which it says how many it ran.
fn planted(mut suite: impl FnMut(&mut Plant) -> usize) {
    let first = env::var("BARTIZAN_MASK_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let (mut seed, mut run) = (first, 0);
    while run < cases() {
        // Shown where the suite fails.
        println!("seed {seed}");
        run += suite(&mut Plant::new(seed));
        seed += 1;
    }
}

fn masked(masker: &Masker, document: &Document, end: usize) -> (BodyForm, String) {
    let mut out = String::new();
    let (content_type, cut) = (document.content_type.as_str(), end < document.body.len());
    let body = masker.body(Some(content_type), None, &document.body[..end], cut, &mut out);
    (body.form, out)
}

/// Masks the document whole, and cut at every byte.
fn every_cut(masker: &Masker, document: &Document, mut check: impl FnMut(&str)) -> usize {
    let (_, whole) = masked(masker, document, document.body.len());
    assert_eq!(whole, document.masked);
    assert_absent("the whole document", &whole);
    for end in 0..document.body.len() {
        let (form, out) = masked(masker, document, end);
        assert_ne!(form, BodyForm::Placeholder, "{out}");
        assert_absent("a cut document", &out);
        check(&out);
    }
    document.body.len() + 1
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok()
}

/// Whether this is the beginning of the whole, closed.
fn begins(out: &str, whole: &str) -> bool {
    out == "null" || whole.starts_with(out.trim_end_matches(['"', '}', ']']))
}

#[test]
fn planted_in_json_and_cut_at_every_byte() {
    let masker = Masker::default();
    planted(|plant| {
        let document = plant.json();
        assert!(is_json(&document.masked), "{}", document.masked);
        every_cut(&masker, &document, |out| {
            assert!(is_json(out), "{out}");
            assert!(begins(out, &document.masked), "{out}\n{}", document.masked);
        })
    });
}

#[test]
fn planted_in_json_and_split_at_every_byte() {
    let masker = Masker::default();
    planted(|plant| {
        let document = plant.json();
        for at in 0..=document.body.len() {
            let (mut json, mut out) = (masker.json(), Vec::new());
            let (first, second) = document.body.split_at(at);
            json.push(first, &mut out);
            assert_absent("what was written so far", &out);
            json.push(second, &mut out);
            assert_eq!(json.finish(false, &mut out), JsonEnd::Complete);
            assert_eq!(out, document.masked.as_bytes());
        }
        document.body.len() + 1
    });
}

#[test]
fn planted_in_json_lines() {
    let masker = Masker::default();
    planted(|plant| {
        let document = plant.ndjson();
        every_cut(&masker, &document, |out| assert!(out.lines().all(is_json), "{out}"))
    });
}

#[test]
fn planted_in_json_by_path_and_by_actions() {
    let by_action = Masker::builder()
        .replace_names(["iban"])
        .name_as("card_number", Action::Remove)
        .name_as("session_id", Action::Text("***".into()))
        .build()
        .unwrap();
    let by_path = Masker::builder().replace_names(["x"]).path("**.*").build().unwrap();
    let allowing = Masker::builder().show_only(["n"]).build().unwrap();
    planted(|plant| {
        let document = plant.clone().names(["iban", "card_number", "session_id"]).json();
        for end in 0..=document.body.len() {
            for masker in [&by_action, &by_path, &allowing] {
                let (_, out) = masked(masker, &document, end);
                assert_absent("a document", &out);
                assert!(is_json(&out), "{out}");
            }
        }
        document.body.len()
    });
}

#[test]
fn planted_in_forms_and_queries() {
    let masker = Masker::default();
    planted(|plant| {
        let document = plant.form();
        assert_eq!(masker.query_cow(&document.body_text()), document.masked);
        every_cut(&masker, &document, |out| {
            let shown = out.strip_suffix("[REDACTED]").unwrap_or(out);
            assert!(document.masked.starts_with(shown), "{out}\n{}", document.masked);
        })
    });
}

#[test]
fn planted_in_multipart() {
    let masker = Masker::default();
    planted(|plant| every_cut(&masker, &plant.multipart(), |out| assert!(is_json(out), "{out}")));
}

#[test]
fn planted_in_cookies_and_headers() {
    let by_name = Masker::builder().cookies_by_name(true).build().unwrap();
    let whole = Masker::default();
    planted(|plant| {
        let cookie = plant.cookie();
        for end in 0..=cookie.body.len() {
            let mut out = String::new();
            by_name.header("cookie", &cookie.body[..end], &mut out).unwrap();
            assert_absent("a cookie by its name", &out);
            assert!(end < cookie.body.len() || out == cookie.masked, "{out}");
            whole.header("cookie", &cookie.body[..end], &mut out).unwrap();
            assert_absent("a cookie", &out);
        }
        let headers = plant.headers();
        assert!(headers.len() > 6);
        for (name, value) in &headers {
            let mut out = String::new();
            for masker in [&whole, &by_name] {
                masker.header_value(name, value, &mut out).unwrap();
            }
            assert_absent(name.as_str(), &out);
        }
        cookie.body.len() + headers.len()
    });
}

#[test]
fn planted_in_text() {
    let masker = Masker::default();
    planted(|plant| {
        let (name, other, secret) = (plant.name(), plant.name(), plant.secret());
        let json = plant.json().body_text();
        let text = format!(
            "login {name}=\"{secret}\" {other:?}: Some({secret:?}), body {json:?} at https://ada:{secret}@h/"
        );
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert_absent("a text", &*masker.cut_text_cow(&text[..end]));
        }
        assert_absent("a text", &*masker.text_cow(&text));
        text.len()
    });
}

#[test]
fn planted_in_paths_and_urls() {
    let masker = Masker::default();
    planted(|plant| {
        let (name, secret) = (plant.name().replace(['[', ']', '.'], "_"), plant.secret());
        let path = format!("/a/{secret}/b/1");
        let shown = masker.path_cow(&path, &format!("/a/{{{name}}}/b/{{id}}")).into_owned();
        assert_eq!(shown, "/a/[REDACTED]/b/1");
        let mut out = String::new();
        masker
            .url(
                format!("https://ada:{secret}@h:80/a;{name}={secret}/?{}#x", plant.query().body_text()),
                &mut out,
            )
            .unwrap();
        assert_absent("a URL", &out);
        1
    });
}

#[cfg(feature = "gzip")]
#[test]
fn planted_in_packed_bodies() {
    use std::io::Write;

    let masker = Masker::default();
    planted(|plant| {
        let document = plant.json();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&document.body).unwrap();
        let packed = encoder.finish().unwrap();
        for end in 0..=packed.len() {
            let mut out = String::new();
            let body = masker.body(
                Some("application/json"),
                Some("gzip"),
                &packed[..end],
                end < packed.len(),
                &mut out,
            );
            assert_absent("an unpacked body", &out);
            assert!(body.form == BodyForm::Json && is_json(&out), "{out}");
            assert!(begins(&out, &document.masked), "{out}");
        }
        packed.len()
    });
}

#[test]
fn every_encoding_of_a_secret_is_found() {
    let secret = Plant::new(3).secret();
    let each = |form: fn(u8) -> String| secret.bytes().map(form).collect::<Vec<_>>().concat();
    let hex = each(|byte| format!("{byte:02X}"));
    let percent = each(|byte| format!("%{byte:02X}"));
    let escapes = each(|byte| format!("\\u{byte:04X}"));
    let wide: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for sink in [secret.as_bytes(), hex.as_bytes(), percent.as_bytes(), escapes.as_bytes(), &wide] {
        assert!(find(sink).is_some(), "{}", sink.escape_ascii());
    }
    for skip in 0..3 {
        let packed = base64(format!("{}{}", "x".repeat(skip), "Zq7Xa".repeat(3)).as_bytes());
        assert!(find(&packed).is_some(), "{packed}");
    }
    assert_eq!(find("order 4711 of ada, 2026-11-21T08:00:00Z"), None);
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups =
        bytes.chunks(3).map(|group| group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)));
    groups
        .flat_map(|bits| (0..4).rev().map(move |n| char::from(DIGITS[(bits >> (6 * n) & 63) as usize])))
        .collect()
}
