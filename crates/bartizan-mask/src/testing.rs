//! A harness that plants secrets in requests and looks for them in what comes out. With the feature `testing`.
//!
//! [`Plant`] makes random bodies, queries, headers and cookies in which secrets stand under sensitive names, from a
//! seed, so that a failure can be run again. Send them through a service, collect its logs, spans, metrics and health
//! details, and give all of that to [`assert_absent`]. It knows a secret in plain text and in the usual encodings, and a
//! part of eight bytes is enough.
//!
//! ```
//! use bartizan_mask::Masker;
//! use bartizan_mask::testing::{Plant, assert_absent};
//!
//! // Stands for a service and its log.
//! fn logged(masker: &Masker, content_type: &str, body: &[u8]) -> String {
//!     let mut line = String::new();
//!     masker.body(Some(content_type), None, body, false, &mut line);
//!     line
//! }
//!
//! let masker = Masker::default();
//! for seed in 0..100 {
//!     let mut plant = Plant::new(seed);
//!     for document in [plant.json(), plant.ndjson(), plant.form(), plant.multipart()] {
//!         let line = logged(&masker, &document.content_type, &document.body);
//!         assert_absent("the log", &line);
//!         assert_eq!(line, document.masked, "seed {seed}: and all else is still there");
//!     }
//!     assert_absent("the query", &*masker.query_cow(&plant.query().body_text()));
//! }
//! ```
//!
//! The names are a sample of the [default set](crate#which-names); plant your own with [`Plant::names`]. Random
//! documents hold what parsers trip over: escapes in names, surrogate pairs, nesting, white space, numbers, objects and
//! arrays as secrets, text that looks like a name, files. Cut them at every byte, and split them anywhere: the
//! secret has to stay hidden.

mod document;
mod json;
mod random;

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use memchr::memmem;

pub use self::document::Document;
use self::random::Random;

/// Every five bytes of a planted secret begin with this.
const MARK: &str = "Zq7X";

/// Every eight digits of a planted number are these.
const DIGITS: &str = "90717352";

/// The sensitive names that are planted under, of one to three words.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "access_token",
    "refresh_token",
    "api_key",
    "client_secret",
    "private_key",
    "authorization",
    "credential",
    "ssn",
    "cvv",
    "card_number",
    "iban",
    "session_id",
    "otp",
    "dsn",
    "connection_string",
];

/// Makes requests with secrets in them.
///
/// ```
/// use bartizan_mask::testing::Plant;
///
/// let (mut one, mut two) = (Plant::new(7), Plant::new(7));
/// assert_eq!(one.json().body, two.json().body, "a seed says all");
/// ```
#[derive(Clone, Debug)]
pub struct Plant {
    random: Random,
    names: Vec<String>,
}

impl Plant {
    /// A source of documents that are the same for the same seed.
    pub fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), names: NAMES.iter().map(ToString::to_string).collect() }
    }

    /// Plants under these names, which have to be sensitive to the masker under test, instead of the default ones.
    /// They are written in lower case with `_` between words, and come out in other forms too.
    #[must_use]
    pub fn names<I>(mut self, names: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// A secret of 10 to 40 letters and digits, which needs no escapes anywhere.
    ///
    /// ```
    /// use bartizan_mask::testing::{Plant, find};
    ///
    /// let secret = Plant::new(1).secret();
    /// assert!(find(format!("oh: {secret}")).is_some());
    /// assert!(find(&secret[1..9]).is_some(), "a part is enough");
    /// ```
    pub fn secret(&mut self) -> String {
        let mut secret = String::new();
        for _ in 0..self.random.between(2, 8) {
            secret.push_str(MARK);
            secret.push(self.random.letter());
        }
        secret
    }

    /// A sensitive name in one of the forms that clients send.
    ///
    /// ```
    /// use bartizan_mask::testing::Plant;
    ///
    /// let (mut plant, masker) = (Plant::new(1), bartizan_mask::Masker::default());
    /// assert!((0..100).all(|_| masker.is_sensitive(&plant.name())));
    /// ```
    pub fn name(&mut self) -> String {
        let name = self.random.pick(&self.names).cloned().unwrap_or_default();
        let title = |word: &str| {
            let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
            first.to_uppercase() + rest
        };
        match self.random.below(7) {
            0 => name.to_uppercase(),
            1 => name.replace('_', "-"),
            2 => name.split('_').map(title).collect(),
            3 => format!("user[{name}]"),
            4 => format!("db_{name}"),
            5 => format!("a.{}", name.replace('_', "-")),
            _ => name,
        }
    }

    /// A JSON document.
    pub fn json(&mut self) -> Document {
        let (mut body, mut masked) = (String::new(), String::new());
        self.json_object(&mut body, &mut masked, 4);
        Document::new("application/json", body, masked)
    }

    /// JSON documents, one a line.
    pub fn ndjson(&mut self) -> Document {
        let (mut body, mut masked) = (String::new(), String::new());
        for n in 0..self.random.between(1, 4) {
            body.push_str(if n > 0 { "\n" } else { "" });
            masked.push_str(if n > 0 { "\n" } else { "" });
            let (mut line, mut of_line) = (String::new(), String::new());
            self.json_object(&mut line, &mut of_line, 2);
            body.push_str(&line.replace('\n', " "));
            masked.push_str(&of_line);
        }
        Document::new("application/x-ndjson", body, masked)
    }

    /// Pairs of a form.
    pub fn form(&mut self) -> Document {
        let mut document = self.query();
        document.content_type = "application/x-www-form-urlencoded".into();
        document
    }

    /// A query, without its `?`, as the body of a document.
    pub fn query(&mut self) -> Document {
        let (mut body, mut masked) = (String::new(), String::new());
        for n in 0..self.random.between(1, 6) {
            body.push_str(if n > 0 { "&" } else { "" });
            masked.push_str(if n > 0 { "&" } else { "" });
            let (before, secret) = match self.random.below(4) {
                0 => (format!("n{n}={}", self.random.below(9000)), String::new()),
                1 => (format!("q{n}=caf%C3%A9+a/b.{}", self.random.letter()), String::new()),
                2 => (format!("next=%2Fa%3F{}%3D", self.random.encoded(&self.names)), self.secret()),
                _ => (format!("{}=", self.encoded_name()), self.secret()),
            };
            let _ = write!(body, "{before}{secret}");
            let _ = write!(masked, "{before}{}", if secret.is_empty() { "" } else { "[REDACTED]" });
        }
        Document::new("", body, masked)
    }

    fn encoded_name(&mut self) -> String {
        let name = self.name();
        self.random.encode(&name)
    }

    /// The parts of a multipart form: fields, and files with secrets in them.
    pub fn multipart(&mut self) -> Document {
        let boundary = format!("b{}_{}", self.random.letter(), self.random.below(9000));
        let (mut body, mut masked) = (String::new(), String::from("["));
        for n in 0..self.random.between(1, 5) {
            let disposition = "Content-Disposition: form-data; name=";
            masked.push_str(if n > 0 { "," } else { "" });
            let _ = write!(body, "--{boundary}\r\n");
            match self.random.below(4) {
                0 => {
                    let value = self.random.below(9000);
                    let _ = write!(body, "{disposition}n{n}\r\n\r\n{value}\r\n");
                    let _ = write!(masked, "{{\"name\":\"n{n}\",\"value\":\"{value}\"}}");
                }
                1 => {
                    let file = format!("\u{0}{}\r\n--b{}", self.secret(), self.secret());
                    let _ = write!(
                        body,
                        "{disposition}f; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n{file}\r\n"
                    );
                    let file = format!("\"content_type\":\"image/png\",\"bytes\":{}", file.len());
                    let _ = write!(masked, "{{\"name\":\"f\",\"filename\":\"a.png\",{file}}}");
                }
                _ => {
                    let name = self.name();
                    let _ = write!(body, "{disposition}\"{name}\"\r\n\r\n{}\r\n", self.secret());
                    let _ = write!(masked, "{{\"name\":\"{name}\",\"value\":\"[REDACTED]\"}}");
                }
            }
        }
        let _ = write!(body, "--{boundary}--\r\n");
        masked.push(']');
        Document::new(format!("multipart/form-data; boundary={boundary}"), body, masked)
    }

    /// A `cookie` header, as the body of a document. It comes out as [`Document::masked`] from a masker that works
    /// [by the cookies' names](crate::MaskerBuilder::cookies_by_name), and as the censor from another.
    pub fn cookie(&mut self) -> Document {
        let (mut body, mut masked) = (String::new(), String::new());
        for n in 0..self.random.between(1, 5) {
            body.push_str(if n > 0 { "; " } else { "" });
            masked.push_str(if n > 0 { "; " } else { "" });
            let plain = self.random.below(2) == 0;
            let name = if plain { format!("theme{n}") } else { self.name().replace(['[', ']', '.'], "_") };
            let value = if plain { "dark".to_owned() } else { self.secret() };
            let _ = write!(body, "{name}={value}");
            let _ = write!(masked, "{name}={}", if plain { &value } else { "[REDACTED]" });
        }
        Document::new("", body, masked)
    }

    /// Headers of a request, with and without secrets.
    pub fn headers(&mut self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put = |name: HeaderName, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.append(name, value);
            }
        };
        put(header::ACCEPT, "text/html".into());
        put(header::AUTHORIZATION, format!("Bearer {}", self.secret()));
        put(header::COOKIE, self.cookie().body_text());
        put(
            header::REFERER,
            format!("https://ada:{}@shop.example/?{}", self.secret(), self.query().body_text()),
        );
        put(HeaderName::from_static("x-api-key"), self.secret());
        put(HeaderName::from_static("x-note"), format!("retry with password={}", self.secret()));
        put(HeaderName::from_static("x-session-token-bin"), self.secret());
        headers
    }
}

/// Where a planted secret, or eight bytes of one, stands in what came out: in plain text, percent-encoded, as JSON escapes, in
/// hexadecimal digits, in base64 or in UTF-16.
///
/// ```
/// use bartizan_mask::testing::find;
///
/// assert_eq!(find("nothing"), None);
/// assert!(find("%5a%71%37%58").is_some());
/// ```
pub fn find(sink: impl AsRef<[u8]>) -> Option<usize> {
    let sink = sink.as_ref();
    let lower = sink.to_ascii_lowercase();
    let plain = [MARK, DIGITS, "WnE3", "cTdY"];
    let folded = ["%5a%71%37%58", "\\u005a\\u0071\\u0037\\u0058", "5a713758", "z\0q\x007\0x\0"];
    let plain = plain.iter().filter_map(|mark| memmem::find(sink, mark.as_bytes()));
    let folded = folded.iter().filter_map(|mark| memmem::find(&lower, mark.as_bytes()));
    plain.chain(folded).min()
}

/// Fails when a planted secret stands in what came out of `sink`, and shows what stands around it.
///
/// # Panics
///
/// When [`find`] finds one.
///
/// ```should_panic
/// use bartizan_mask::testing::{Plant, assert_absent};
///
/// assert_absent("the log", format!("user=ada password={}", Plant::new(1).secret()));
/// ```
#[track_caller]
pub fn assert_absent(sink: &str, bytes: impl AsRef<[u8]>) {
    let bytes = bytes.as_ref();
    if let Some(at) = find(bytes) {
        let around = bytes.get(at.saturating_sub(120)..(at + 40).min(bytes.len())).unwrap_or_default();
        panic!("a planted secret is in {sink}, at byte {at}: ..{}..", around.escape_ascii());
    }
}

#[cfg(test)]
mod tests;
