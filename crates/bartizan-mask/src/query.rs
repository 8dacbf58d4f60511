//! Query strings and `application/x-www-form-urlencoded` bodies, which share one syntax.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::Masker;
use crate::edit::{Edit, Escape};
use crate::look::{self, BRACKET, PAIR};
use crate::names::{Hide, MAX_NAME_BYTES, Names};
use crate::nested;

impl Masker {
    /// Writes a query string (without its `?`) with the values of sensitive names masked; returns how
    /// many that were.
    ///
    /// Everything else stays byte for byte, except that bytes outside printable ASCII are
    /// percent-encoded. Names may be percent-encoded and nested (`user[password]`, `filter.password`).
    /// A name without `=` is kept, unless only what is [allowed](crate::MaskerBuilder::show_only) is
    /// shown. A value that itself holds a sensitive pair (`a=1;password=x`, `next=%2Freset%3Ftoken%3Dx`,
    /// JSON) is masked from that pair's value on to its own end.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    ///
    /// ```
    /// let mut out = String::new();
    /// bartizan_mask::Masker::default().query("q=a+b&api%5Fkey=4f&x", &mut out)?;
    /// assert_eq!(out, "q=a+b&api%5Fkey=[REDACTED]&x");
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    pub fn query<W>(&self, query: impl AsRef<[u8]>, mut out: &mut W) -> Result<usize, fmt::Error>
    where
        W: fmt::Write + ?Sized,
    {
        let query = query.as_ref();
        match str::from_utf8(query) {
            Ok(query) => self.query_str(query, out),
            Err(_) => {
                self.edit(query, Escape::Percent, &mut out, |names, edit| find(names, edit, 0..query.len()))
            }
        }
    }

    /// [`query`](Self::query) for what is known to be text, as that of a `Uri` is.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    ///
    /// ```
    /// let mut out = String::new();
    /// bartizan_mask::Masker::default().query_str("page=2&otp=1", &mut out)?;
    /// assert_eq!(out, "page=2&otp=[REDACTED]");
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    pub fn query_str<W>(&self, query: &str, mut out: &mut W) -> Result<usize, fmt::Error>
    where
        W: fmt::Write + ?Sized,
    {
        if self.shows_query(query) {
            return out.write_str(query).map(|()| 0);
        }
        let all = 0..query.len();
        self.edit(query.as_bytes(), Escape::Percent, &mut out, |names, edit| find(names, edit, all))
    }

    /// [`query`](Self::query) as a string, borrowed when nothing changes.
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::default();
    /// assert!(matches!(masker.query_cow("page=2"), std::borrow::Cow::Borrowed("page=2")));
    /// assert_eq!(masker.query_cow("otp=1"), "otp=[REDACTED]");
    /// ```
    pub fn query_cow<'q>(&self, query: &'q str) -> Cow<'q, str> {
        if self.shows_query(query) {
            return Cow::Borrowed(query);
        }
        self.edit_cow(query, Escape::Percent, |names, edit| find(names, edit, 0..query.len())).0
    }

    /// Writes an `application/x-www-form-urlencoded` body, masked as a [`query`](Self::query). The body
    /// may be cut anywhere.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    ///
    /// ```
    /// let mut out = String::new();
    /// bartizan_mask::Masker::default().form(b"user=ada&password=hunt", &mut out)?;
    /// assert_eq!(out, "user=ada&password=[REDACTED]");
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    pub fn form<W>(&self, body: impl AsRef<[u8]>, out: &mut W) -> Result<usize, fmt::Error>
    where
        W: fmt::Write + ?Sized,
    {
        self.query(body, out)
    }
}

impl Masker {
    /// Whether this is printable ASCII and nothing in it is masked.
    #[inline]
    fn shows_query(&self, query: &str) -> bool {
        // A longer name is sensitive whatever it ends in.
        query.len() <= MAX_NAME_BYTES && !self.names().hides_others() && self.shows_pairs(query.as_bytes())
    }

    /// Appends a form that may be the beginning of one.
    pub(crate) fn part_of_form(&self, body: &[u8], cut: bool, out: &mut String) {
        // Writing to a string does not fail.
        let _ = self.edit(body, Escape::Percent, out, |names, edit| {
            edit.set_cut(cut);
            find(names, edit, 0..body.len());
        });
    }
}

pub(crate) fn find(names: &Names, edit: &mut Edit<'_>, span: Range<usize>) {
    let mut rest = edit.slice(span.clone());
    if !names.hides_others() && !look::any::<PAIR>(rest) {
        return;
    }
    let mut at = span.start;
    while !rest.is_empty() {
        let (name, tail, of_name) = split(rest, |byte| matches!(byte, b'=' | b'&'));
        let (value, marks) = match tail.split_first() {
            Some((b'=', tail)) => {
                let (value, _, marks) = split(tail, |byte| byte == b'&');
                (at + name.len() + 1..at + name.len() + 1 + value.len(), marks)
            }
            _ => (at..at + name.len(), of_name),
        };
        let end = value.end;
        let hide = match of_name & (PAIR | BRACKET) {
            // Without a name it cannot be allowed.
            _ if value.start == at => names.hides_others().then_some(Hide::OTHERS),
            0 => names.hides_plain(name),
            _ => names.hides(name),
        };
        if let Some(hide) = hide {
            edit.hide_as(value, hide);
        } else if of_name & PAIR != 0 {
            // What is no query may have a pair, as `{"pin":"1=2"}` has, before the first `=`.
            nested::find(names, edit, at..end);
        } else if marks & PAIR != 0 {
            nested::find(names, edit, value);
        }
        rest = rest.get(end + 1 - at..).unwrap_or_default();
        at = end + 1;
    }
}

/// The text before the first byte that is an end, the rest from that byte on, and the marks in the former.
#[inline]
fn split(text: &[u8], is_end: impl Fn(u8) -> bool) -> (&[u8], &[u8], u8) {
    let (mut marks, mut length) = (0, 0);
    for &byte in text {
        if is_end(byte) {
            break;
        }
        marks |= look::marks(byte);
        length += 1;
    }
    let (head, tail) = text.split_at_checked(length).unwrap_or((text, &[]));
    (head, tail, marks)
}

#[cfg(test)]
mod tests;
