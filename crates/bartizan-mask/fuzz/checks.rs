//! What holds for every input. The fuzz targets run these, and a test replays the corpora through them.

use std::sync::LazyLock;

use bartizan_mask::{BodyForm, JsonEnd, Masker};
use serde_json::Value;
use serde_json::error::Category;

/// Stands in every planted secret.
const MARK: &[u8] = b"ZQ7xKv";

const CENSOR: &[u8] = b"[REDACTED]";

static MASKER: LazyLock<Masker> = LazyLock::new(|| {
    let builder = Masker::builder().cookies_by_name(true).path("cards[*].number").path("**.deep.*");
    builder.build().expect("a valid configuration")
});

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The secret that is made of an input, without the bytes that would end it.
fn secret(data: &[u8], ends: &[u8]) -> Vec<u8> {
    let inside = data.iter().copied().filter(|byte| !ends.contains(byte));
    MARK.iter().copied().chain(inside).chain(MARK.iter().copied()).collect()
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

fn json_of(chunks: &[&[u8]], cut: bool) -> (JsonEnd, Vec<u8>) {
    let (mut json, mut out) = (MASKER.json(), Vec::new());
    for chunk in chunks {
        json.push(chunk, &mut out);
    }
    (json.finish(cut, &mut out), out)
}

pub(crate) fn json(data: &[u8]) {
    let Some((&at, text)) = data.split_first() else { return };
    let size = usize::from(at % 8) + 1;
    let (end, out) = json_of(&[text], false);
    assert_eq!(
        json_of(&text.chunks(size).collect::<Vec<_>>(), false),
        (end, out.clone()),
        "chunks make no difference"
    );

    // serde_json agrees, up to its limit of depth and ours of length.
    let plain = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    match (serde_json::from_slice::<Value>(plain), end) {
        (Ok(_), end) => assert!(end == JsonEnd::Complete || has_long_number(plain), "{end:?}"),
        (Err(error), JsonEnd::Complete) => assert!(is_too_deep(&error) || is_surrogate(&error), "{error}"),
        _ => {}
    }
    if end != JsonEnd::Invalid {
        assert_valid(&out);
    }
    let (end, out) = json_of(&[text], true);
    if end != JsonEnd::Invalid {
        assert_valid(&out);
    }

    // A secret, cut anywhere.
    let inner = Value::String(String::from_utf8_lossy(&secret(text, b"")).into_owned());
    let document = format!(
        "[{{\"a\":1,\"user_password\":{inner},\"b\":{{\"pin\":[{inner}]}}}},{{\"deep\":{{\"x\":{inner}}}}}]"
    );
    let cut = document.len().min(usize::from(at) * document.len() / 200);
    let (end, out) = json_of(&[&document.as_bytes()[..cut]], true);
    assert_eq!(end, JsonEnd::Cut);
    assert_valid(&out);
    assert!(!contains(&out, MARK), "{}", out.escape_ascii());
}

/// Numbers of more than 512 bytes are invalid to us.
fn has_long_number(text: &[u8]) -> bool {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    text.split(|byte| !part(byte)).any(|word| word.len() > 512)
}

fn is_too_deep(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("recursion limit")
}

/// Half a surrogate pair is no error to us, and a number may be too large for serde_json.
fn is_surrogate(error: &serde_json::Error) -> bool {
    let error = error.to_string();
    ["lone leading surrogate", "unexpected end of hex escape", "number out of range"]
        .iter()
        .any(|known| error.starts_with(known))
}

fn assert_valid(out: &[u8]) {
    if let Err(error) = serde_json::from_slice::<Value>(out) {
        let text = out.escape_ascii();
        let known = is_too_deep(&error) || error.to_string().starts_with("number out of range");
        assert!(known, "{:?} {error}: {text}", error.classify() == Category::Eof);
    }
}

pub(crate) fn query(data: &[u8]) {
    let mut out = String::new();
    MASKER.query(data, &mut out).expect("a string takes all");
    MASKER.url(data, &mut out).expect("a string takes all");
    MASKER.path(data, "/a/{token}/{*rest}", &mut out).expect("a string takes all");
    assert!(is_printable(&out), "{out}");

    let secret = secret(data, b"&");
    let input = [b"a=1&api%5Fkey=", &secret[..], b"&b=2"].concat();
    let mut out = String::new();
    MASKER.query(&input, &mut out).expect("a string takes all");
    assert_eq!(out, "a=1&api%5Fkey=[REDACTED]&b=2");
}

pub(crate) fn form(data: &[u8]) {
    let form = Some("application/x-www-form-urlencoded");
    for cut in [false, true] {
        let mut out = String::new();
        let body = MASKER.body(form, None, data, cut, &mut out);
        // JSON that calls itself a form keeps what JSON may have in its strings.
        assert!(body.form == BodyForm::Json || is_printable(&out), "{out}");
    }
    let input = [b"a=1&user[password]=", &secret(data, b"&")[..], b"&b=2"].concat();
    let cut = usize::from(data.first().copied().unwrap_or(255)).min(input.len());
    let mut out = String::new();
    MASKER.body(form, None, &input[..cut], true, &mut out);
    assert!(!contains(out.as_bytes(), MARK), "{out}");
}

pub(crate) fn cookie(data: &[u8]) {
    for name in ["cookie", "set-cookie"] {
        let mut out = String::new();
        MASKER.header(name, data, &mut out).expect("a string takes all");
        assert!(is_printable(&out), "{out}");

        let input = [b"app_session=", &secret(data, b";\"")[..], b"; theme=dark"].concat();
        let mut out = String::new();
        MASKER.header(name, &input, &mut out).expect("a string takes all");
        assert_eq!(out, "app_session=[REDACTED]; theme=dark");
    }
}

pub(crate) fn header(data: &[u8]) {
    for name in ["accept", "referer", "x-grpc-meta", "location"] {
        let mut out = String::new();
        MASKER.header(name, data, &mut out).expect("a string takes all");
        assert!(is_printable(&out), "{out}");
    }
    let secret = secret(data, b"");
    for name in ["authorization", "X-Api-Key", "session-token-bin"] {
        let mut out = String::new();
        MASKER.header(name, &secret, &mut out).expect("a string takes all");
        assert_eq!(out.as_bytes(), CENSOR, "{name}");
    }
}

pub(crate) fn text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut out = String::new();
    MASKER.text(&text, &mut out).expect("a string takes all");
    assert_eq!(MASKER.text_cow(&text), out);
    let _masked = MASKER.cut_text_cow(&text);

    let secret = String::from_utf8_lossy(&secret(data, b"")).into_owned();
    let line = format!("login {{ name: 1, password: {secret:?}, b: 2 }}");
    assert_eq!(MASKER.text_cow(&line), "login { name: 1, password: \"[REDACTED]\", b: 2 }");
}

pub(crate) fn multipart(data: &[u8]) {
    let content_type = Some("multipart/form-data; boundary=b");
    for cut in [false, true] {
        let mut out = String::new();
        let body = MASKER.body(content_type, None, data, cut, &mut out);
        if body.form == BodyForm::Multipart {
            assert_valid(out.as_bytes());
        }
    }
    let secret = secret(data, b"\n");
    let field = |name: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n");
    let input = [
        field("password").as_bytes(),
        b"\r\n",
        &secret[..],
        b"\r\n",
        field("photo\"; filename=\"a").as_bytes(),
        b"Content-Type: image/png\r\n\r\n",
        &secret[..],
        b"\r\n",
        field("user[pin]").as_bytes(),
        b"\r\n",
        &secret[..],
        b"\r\n--b--",
    ]
    .concat();
    let at = usize::from(data.first().copied().unwrap_or(255)) * input.len() / 255;
    for end in [at, input.len()] {
        let mut out = String::new();
        let body = MASKER.body(content_type, None, &input[..end], end < input.len(), &mut out);
        assert_eq!(body.form, BodyForm::Multipart, "{}", input.escape_ascii());
        assert_valid(out.as_bytes());
        assert!(!contains(out.as_bytes(), MARK), "{out}");
    }
}

pub(crate) fn sql(data: &[u8]) {
    let statement = String::from_utf8_lossy(data);
    let mut out = String::new();
    MASKER.sql(&statement, &mut out).expect("a string takes all");
    assert!(out.chars().count() <= Masker::MAX_SQL_CHARS + 3, "{out}");

    let secret = String::from_utf8_lossy(&secret(data, b"'\\")).into_owned();
    let literal = format!("SELECT a FROM t WHERE b = '{secret}' AND c = $x${}$x$", secret.replace('$', ""));
    for statement in [literal, format!("SELECT 1 /* {} */ FROM t", secret.replace(['*', '/'], ""))] {
        let mut out = String::new();
        MASKER.sql(&statement, &mut out).expect("a string takes all");
        assert!(!contains(out.as_bytes(), MARK), "{statement} -> {out}");
    }
}
