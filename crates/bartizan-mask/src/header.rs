//! Headers: whole values by name, cookies by name, and what is inside the others.

use std::fmt;
use std::ops::Range;

use http::{HeaderName, HeaderValue};
use memchr::memchr;

use crate::edit::{Edit, Escape};
use crate::names::{Hide, Names};
use crate::{Masker, nested, text, url};

/// The header of the cookies in a request.
const REQUEST: &str = "cookie";

/// The header of a cookie in a response.
const RESPONSE: &str = "set-cookie";

/// The ending of the names of binary gRPC metadata.
const BINARY: &str = "-bin";

/// Names that come with most requests, and are judged once.
const COMMON: [&str; 8] =
    ["user-agent", "authorization", REQUEST, "host", "accept", RESPONSE, "proxy-authorization", "x-api-key"];

/// How the value of a header is masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Hidden(Hide),
    Cookies,
    Host,
    Url,
    Text,
}

/// How the [common](COMMON) headers are masked.
pub(crate) struct CommonHeaders([Form; COMMON.len()]);

impl CommonHeaders {
    pub(crate) fn of(names: &Names, cookies_by_name: bool) -> Self {
        Self(COMMON.map(|name| Form::of(name, names, cookies_by_name)))
    }
}

impl Form {
    fn of(name: &str, names: &Names, cookies_by_name: bool) -> Self {
        let hide = match strip_binary(name) {
            Some(plain) => hides_binary(names, name, plain),
            None => names.hides(name.as_bytes()),
        };
        match hide {
            _ if is_cookie(name) && (cookies_by_name || hide.is_none()) => Self::Cookies,
            Some(hide) => Self::Hidden(hide),
            None if is_url(name) => Self::Url,
            None if HOST_HEADERS.iter().any(|header| name.eq_ignore_ascii_case(header)) => Self::Host,
            None => Self::Text,
        }
    }
}

/// Headers that hold one URL.
const URL_HEADERS: &[&str] = &[
    "content-location",
    "hx-current-url",
    "location",
    "origin",
    "referer",
    "x-forwarded-uri",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
];

/// Headers that hold what may be the authority of a URL.
const HOST_HEADERS: &[&str] = &["host", "x-forwarded-host"];

impl Masker {
    /// Writes the value of a header, masked; returns how many values that were.
    ///
    /// A sensitive header is replaced as a whole, scheme and all; `cookie` and `set-cookie` are among
    /// them unless the masker works [by the cookies' names](crate::MaskerBuilder::cookies_by_name). A
    /// header that holds a URL (`referer`, `location`, ...) is masked as a [`url`](Self::url), and so is a `host` with
    /// user info, any other as [`text`](Self::text). Binary gRPC metadata (`x-token-bin`) is judged by its name without `-bin`, and
    /// is hidden unless that name is [allowed](crate::MaskerBuilder::allow). Bytes outside printable ASCII are written as `\xNN`.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::default();
    /// let mut out = String::new();
    /// masker.header(http::header::AUTHORIZATION, b"Bearer 4f2a", &mut out)?;
    /// assert_eq!(out, "[REDACTED]");
    ///
    /// out.clear();
    /// masker.header("referer", "https://a.example/reset?token=4f2a", &mut out)?;
    /// assert_eq!(out, "https://a.example/reset?token=[REDACTED]");
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    pub fn header<W>(
        &self,
        name: impl AsRef<str>,
        value: impl AsRef<[u8]>,
        mut out: &mut W,
    ) -> Result<usize, fmt::Error>
    where
        W: fmt::Write + ?Sized,
    {
        let (name, value) = (name.as_ref(), value.as_ref());
        let all = 0..value.len();
        match self.header_form(name) {
            Form::Hidden(hide) => self.write_hidden(value, hide, out),
            Form::Cookies => {
                let request = name.len() == REQUEST.len();
                self.edit(value, Escape::Hex, &mut out, |names, edit| find_cookies(names, edit, request))
            }
            Form::Url if self.shows_plain(value) => write_shown(value, out),
            Form::Url => self.edit(value, Escape::Hex, &mut out, |names, edit| url::find(names, edit, all)),
            Form::Host if memchr(b'@', value).is_some() => {
                self.edit(value, Escape::Hex, &mut out, |names, edit| url::find(names, edit, all))
            }
            Form::Host | Form::Text if self.shows_text(value) => write_shown(value, out),
            Form::Host | Form::Text => self.edit(value, Escape::Hex, &mut out, text::find),
        }
    }

    /// How the value of this header is masked.
    fn header_form(&self, name: &str) -> Form {
        let mut common = COMMON.iter().zip(self.common_headers().0);
        match common.find(|(common, _)| **common == name) {
            Some((_, form)) => form,
            None => Form::of(name, self.names(), self.cookies_by_name()),
        }
    }

    /// Writes what stands for a value that is hidden.
    fn write_hidden<W>(&self, value: &[u8], hide: Hide, mut out: &mut W) -> Result<usize, fmt::Error>
    where
        W: fmt::Write + ?Sized,
    {
        let word = self.fixed(hide);
        if self.needs_value(hide) || value.is_empty() || value == word.as_bytes() {
            let all = 0..value.len();
            return self.edit(value, Escape::Hex, &mut out, |_, edit| edit.hide_as(all, hide));
        }
        out.write_str(word)?;
        self.count(1);
        Ok(1)
    }

    /// [`header`](Self::header) for the types of the `http` crate: a value that is
    /// [marked sensitive](HeaderValue::is_sensitive) is replaced whatever its name.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    ///
    /// ```
    /// use http::{HeaderName, HeaderValue};
    ///
    /// let mut value = HeaderValue::from_static("4f2a");
    /// value.set_sensitive(true);
    /// let mut out = String::new();
    /// let name = HeaderName::from_static("x-license");
    /// bartizan_mask::Masker::default().header_value(&name, &value, &mut out)?;
    /// assert_eq!(out, "[REDACTED]");
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    pub fn header_value<W>(
        &self,
        name: &HeaderName,
        value: &HeaderValue,
        mut out: &mut W,
    ) -> Result<usize, fmt::Error>
    where
        W: fmt::Write + ?Sized,
    {
        if value.is_sensitive() {
            self.edit(value.as_bytes(), Escape::Hex, &mut out, |_, edit| edit.hide(0..value.len()))
        } else {
            self.header(name, value, out)
        }
    }
}

/// How binary metadata is hidden. Nobody can look into it, so it has to be allowed.
#[cold]
fn hides_binary(names: &Names, name: &str, plain: &str) -> Option<Hide> {
    let allowed = names.allows(name.as_bytes()) || names.allows(plain.as_bytes());
    if allowed { None } else { names.hides(plain.as_bytes()).or(Some(Hide::default())) }
}

/// Writes printable ASCII as it is; says that nothing in it was masked.
#[inline]
fn write_shown<W>(text: &[u8], out: &mut W) -> Result<usize, fmt::Error>
where
    W: fmt::Write + ?Sized,
{
    out.write_str(str::from_utf8(text).map_err(|_| fmt::Error)?).map(|()| 0)
}

/// The name of binary gRPC metadata without its ending.
#[inline]
fn strip_binary(name: &str) -> Option<&str> {
    let (plain, ending) = name.split_at_checked(name.len().checked_sub(BINARY.len())?)?;
    ending.eq_ignore_ascii_case(BINARY).then_some(plain)
}

#[inline]
fn is_url(name: &str) -> bool {
    // Most names begin with another letter.
    matches!(
        name.as_bytes().first(),
        Some(b'c' | b'C' | b'h' | b'H' | b'l' | b'L' | b'o' | b'O' | b'r' | b'R' | b'x' | b'X')
    ) && URL_HEADERS.iter().any(|header| name.eq_ignore_ascii_case(header))
}

#[inline]
fn is_cookie(name: &str) -> bool {
    name.eq_ignore_ascii_case(REQUEST) || name.eq_ignore_ascii_case(RESPONSE)
}

/// Hides cookies by name: each pair of a `cookie`, the pairs before and among the attributes of a
/// `set-cookie`.
fn find_cookies(names: &Names, edit: &mut Edit<'_>, request: bool) {
    let length = edit.input().len();
    let mut at = 0;
    while at < length {
        let end = memchr(b';', edit.slice(at..length)).map_or(length, |n| at + n);
        let pair = edit.slice(at..end);
        let equals = memchr(b'=', pair).map(|n| at + n);
        let hide = equals.and_then(|equals| names.hides_cookie(edit.slice(at..equals)));
        at = match equals {
            Some(equals) if let Some(hide) = hide => {
                let value = cookie_value(edit.input(), equals + 1, end);
                edit.hide_as(value.clone(), hide);
                value.end.max(end) + 1
            }
            // A cookie without a name is sent as its bare value.
            None if request || at == 0 => {
                edit.hide(trim(pair, at));
                end + 1
            }
            Some(equals) if trim(edit.slice(at..equals), at).is_empty() => {
                edit.hide(equals + 1..end);
                end + 1
            }
            Some(equals) => {
                nested::find(names, edit, equals + 1..end);
                end + 1
            }
            None => end + 1,
        };
    }
}

/// The value that begins here: up to `end`, or to its own closing quotation mark where that comes later.
fn cookie_value(header: &[u8], start: usize, end: usize) -> Range<usize> {
    let quoted = header.get(start..).and_then(|rest| rest.strip_prefix(b"\""));
    let close = quoted.map(|rest| memchr(b'"', rest).map_or(header.len(), |n| start + n + 2));
    start..close.unwrap_or(end).max(end)
}

/// The span of a part of a header without the white space around it.
fn trim(part: &[u8], at: usize) -> Range<usize> {
    let start = at + part.len() - part.trim_ascii_start().len();
    start..start + part.trim_ascii().len()
}

#[cfg(test)]
mod tests;
