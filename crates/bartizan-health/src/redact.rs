//! Taking secrets out of what checks say.
//!
//! Drivers like to put the connection string into their errors. Whatever a check says goes through a
//! [`Redactor`] before it is kept, so that no answer, log line or listener sees the original.

use std::borrow::Cow;

use serde_json::Value;

/// Replaces secrets. Give the registry the application's own masker with
/// [`RegistryBuilder::redactor`](crate::RegistryBuilder::redactor).
///
/// It runs inside the task of the check: if it panics, the check is unhealthy and its text is dropped.
///
/// ```
/// use std::borrow::Cow;
/// use bartizan_health::{Redactor, Registry};
/// use serde_json::Value;
///
/// /// Nothing that a check says is ever shown.
/// struct Mute;
///
/// impl Redactor for Mute {
///     fn text<'a>(&self, _: &'a str) -> Cow<'a, str> {
///         "not shown".into()
///     }
///     fn details(&self, details: &mut Value) {
///         *details = Value::Null;
///     }
/// }
///
/// let registry = Registry::builder().redactor(Mute).build()?;
/// # Ok::<_, bartizan_health::HealthError>(())
/// ```
pub trait Redactor: Send + Sync + 'static {
    /// A message or a URL without its secrets.
    fn text<'a>(&self, text: &'a str) -> Cow<'a, str>;

    /// Takes the secrets out of a check's details.
    fn details(&self, details: &mut Value);
}

const CENSOR: &str = "[REDACTED]";

/// What a name contains, in lower case and without punctuation, when its value is a secret.
const SECRET_NAMES: [&str; 15] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
    "authorization",
    "cookie",
    "session",
    "signature",
    "bearer",
];

/// The redactor of a registry that was given none. It would rather hide too much than too little.
///
/// - The user info of a URL, `scheme://user:secret@host`, and of a URL-like `user:secret@host`.
/// - The value after a secret's name: `password=..`, `"api_key": ".."`, `Authorization: ..`, `?token=..`.
/// - In details, the members with a secret's name, and both of the above in every text.
///
/// ```
/// use bartizan_health::{DefaultRedactor, Redactor};
///
/// let text = DefaultRedactor.text("cannot reach postgres://app:hunter2@db:5432/orders");
/// assert_eq!(text, "cannot reach postgres://[REDACTED]@db:5432/orders");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultRedactor;

impl Redactor for DefaultRedactor {
    fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        // Named values first: a password may hold an `@`, and the other order would stop there.
        match without_named(text) {
            Cow::Borrowed(text) => without_user_info(text),
            Cow::Owned(text) => Cow::Owned(without_user_info(&text).into_owned()),
        }
    }

    fn details(&self, details: &mut Value) {
        match details {
            Value::String(text) => {
                if let Cow::Owned(redacted) = self.text(text) {
                    *text = redacted;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.details(item)),
            Value::Object(members) => {
                for (name, value) in members.iter_mut() {
                    if is_secret(name) {
                        *value = CENSOR.into();
                    } else {
                        self.details(value);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn is_secret(name: &str) -> bool {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

/// Hides in each word what stands before its last `@`, if that can be a user and a password.
fn without_user_info(text: &str) -> Cow<'_, str> {
    if !text.contains('@') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let (before, after) = word.rsplit_once('@').unwrap_or(("", word));
        match before.split_once("://") {
            Some((scheme, _)) => out.extend([scheme, "://", CENSOR, "@", after]),
            None if before.contains(':') => out.extend([CENSOR, "@", after]),
            None => out.push_str(word),
        }
    }
    Cow::Owned(out)
}

/// Hides what follows `name=` or `name:` when the name is a secret's.
fn without_named(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = text;
    // Up to where `rest` was searched.
    let mut from = 0;
    while let Some(at) = rest[from..].find(['=', ':']).map(|at| from + at) {
        let name = name_before(&rest[..at]);
        if rest[at..].starts_with("://") || !is_secret(name) {
            from = at + 1;
            continue;
        }
        let value = rest[at + 1..].trim_start_matches([' ', '\t', '=', ':']);
        if value.is_empty() {
            break;
        }
        let start = rest.len() - value.len();
        let end = start + value_len(name, value);
        out.extend([&rest[..start], CENSOR]);
        rest = &rest[end..];
        from = 0;
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The last word of `text`, where a quote or blanks may stand behind it.
fn name_before(text: &str) -> &str {
    let text = text.trim_end_matches([' ', '\t', '"', '\'', '\\', ']']);
    let start = text.rfind(|c: char| !(c.is_alphanumeric() || "_-.".contains(c)));
    let start = start.map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    &text[start..]
}

/// A quoted value ends at its quote, a header's at the line, any other at a blank, `&` or `;`.
fn value_len(name: &str, value: &str) -> usize {
    let opened = value.trim_start_matches('\\');
    if let Some(quote) = opened.chars().next().filter(|c| "\"'`".contains(*c)) {
        let inside = value.len() - opened.len() + 1;
        return value[inside..].find(quote).map_or(value.len(), |at| inside + at + 1);
    }
    let name = name.to_ascii_lowercase();
    if name.contains("authorization") || name.contains("cookie") || name.contains("bearer") {
        return value.find(['\r', '\n']).unwrap_or(value.len());
    }
    value.find(|c: char| c.is_whitespace() || c == '&' || c == ';').unwrap_or(value.len())
}

#[cfg(test)]
mod tests;
