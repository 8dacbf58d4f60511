//! Query strings and `application/x-www-form-urlencoded` bodies, which share one syntax.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::Masker;
use crate::edit::{Edit, Escape, write_shown};
use crate::kinds::Kinds;
use crate::names::{MAX_NAME_BYTES, Names};
use crate::nested;

impl Masker {
    /// Writes a query string (without its `?`) with the values of sensitive names masked; returns how
    /// many that were.
    ///
    /// Everything else stays byte for byte, except that bytes outside printable ASCII are
    /// percent-encoded. Names may be percent-encoded and nested (`user[password]`, `filter.password`).
    /// A name without `=` is kept. A value that itself holds a sensitive pair (`a=1;password=x`,
    /// `next=%2Freset%3Ftoken%3Dx`, JSON) is masked from that pair's value on to its own end.
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
        // A longer name is sensitive whatever it ends in.
        if query.len() <= MAX_NAME_BYTES && self.shows_pairs(query) {
            return write_shown(query, out);
        }
        self.edit(query, Escape::Percent, &mut out, |names, edit| find(names, edit, 0..query.len()))
    }

    /// [`query`](Self::query) as a string, borrowed when nothing changes.
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::default();
    /// assert!(matches!(masker.query_cow("page=2"), std::borrow::Cow::Borrowed("page=2")));
    /// assert_eq!(masker.query_cow("otp=1"), "otp=[REDACTED]");
    /// ```
    pub fn query_cow<'q>(&self, query: &'q str) -> Cow<'q, str> {
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
    if !edit.kinds().any(Kinds::PAIR) {
        return;
    }
    let mut at = span.start;
    let mut rest = edit.slice(span);
    while !rest.is_empty() {
        let (name, tail, of_name) = Kinds::split(rest, |byte| matches!(byte, b'=' | b'&'));
        let (value, length, kinds) = match tail.split_first() {
            Some((b'=', tail)) => {
                let (value, _, kinds) = Kinds::split(tail, |byte| byte == b'&');
                (at + name.len() + 1, value.len(), kinds)
            }
            _ => (at, name.len(), of_name),
        };
        let end = value + length;
        let hide = if value > at { names.hides_of(name, of_name) } else { None };
        if let Some(hide) = hide {
            edit.hide_as(value..end, hide);
        } else if kinds.any(Kinds::PAIR) {
            nested::find(names, edit, value..end);
        }
        rest = rest.get(end + 1 - at..).unwrap_or_default();
        at = end + 1;
    }
}

#[cfg(test)]
mod tests;
