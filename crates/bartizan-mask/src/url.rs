//! Whole URLs: user info, path parameters, query and fragment.

use std::fmt;
use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2, memrchr};

use crate::Masker;
use crate::edit::{Edit, Escape};
use crate::look::{self, AT, PAIR};
use crate::names::Names;
use crate::percent::decode;
use crate::{nested, query};

/// How far the `@` behind a password that is not encoded is looked for.
const MAX_BROKEN_BYTES: usize = 512;

impl Masker {
    /// Writes a URL, absolute or from the path on, with its secrets masked; returns how many that were.
    ///
    /// The user info becomes `REDACTED:REDACTED@` (`REDACTED@` without a password), the query and the
    /// fragment are masked as a [`query`](Self::query), `;name=value` parameters of the path by name.
    /// Bytes outside printable ASCII are percent-encoded. A password that breaks the URL because it is
    /// not encoded (`://user:p/ss@host`) is still found.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    ///
    /// ```
    /// let mut out = String::new();
    /// let url = "postgres://ada:hunter2@db:5432/orders?sslmode=require&password=x#top";
    /// bartizan_mask::Masker::default().url(url, &mut out)?;
    /// assert_eq!(out, "postgres://REDACTED:REDACTED@db:5432/orders?sslmode=require&password=[REDACTED]#top");
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    pub fn url<W>(&self, url: impl AsRef<[u8]>, mut out: &mut W) -> Result<usize, fmt::Error>
    where
        W: fmt::Write + ?Sized,
    {
        let url = url.as_ref();
        self.edit(url, Escape::Percent, &mut out, |names, edit| find(names, edit, 0..url.len()))
    }
}

pub(crate) fn find(names: &Names, edit: &mut Edit<'_>, span: Range<usize>) {
    if !look::any::<{ PAIR | AT }>(edit.slice(span.clone())) {
        return;
    }
    let mut start = span.start;
    if let Some(offset) = authority_start(edit.slice(span.clone())) {
        find_path(names, edit, start..start + offset);
        start += offset;
        let cut = edit.is_cut_at(span.end);
        let user_info = user_info(edit.slice(0..span.end), start, cut);
        // What stands before the colon of `about:blank` is a scheme.
        let user_info = user_info.filter(|user_info| offset > 0 || cut || user_info.end < span.end);
        if let Some(user_info) = user_info {
            start = user_info.end;
            edit.hide_user_info(user_info);
        }
    }
    let offset_of = |byte, from: usize, end| memchr(byte, edit.slice(from..end)).map(|length| from + length);
    let fragment = offset_of(b'#', start, span.end).unwrap_or(span.end);
    let query = offset_of(b'?', start, fragment).unwrap_or(fragment);
    find_path(names, edit, start..query);
    query::find(names, edit, query + 1..fragment);
    query::find(names, edit, fragment + 1..span.end);
}

/// Hides `;name=value` parameters and other pairs inside the segments of a path.
pub(crate) fn find_path(names: &Names, edit: &mut Edit<'_>, span: Range<usize>) {
    if !nested::is_possible(edit.slice(span.clone())) {
        return;
    }
    let mut at = span.start;
    while at < span.end {
        let end = memchr(b'/', edit.slice(at..span.end)).map_or(span.end, |length| at + length);
        nested::find(names, edit, at..end);
        at = end + 1;
    }
}

/// Where the authority begins: after `://` or a leading `//`, or at once in `user:password@host/path`.
fn authority_start(url: &[u8]) -> Option<usize> {
    let head = url.get(..memchr2(b'?', b'#', url).unwrap_or(url.len()))?;
    let mut colons = memchr_iter(b':', head);
    if let Some(colon) =
        colons.find(|colon| head.get(colon + 1..).is_some_and(|rest| rest.starts_with(b"//")))
    {
        Some(colon + 3)
    } else if head.starts_with(b"//") {
        Some(2)
    } else {
        (head.first() != Some(&b'/')).then_some(0)
    }
}

/// The user info, if there is any, of the authority that begins at `start`, in a URL that ends with the
/// text or at a byte that is in none. Where the text is `cut`, what may be the beginning of one.
pub(crate) fn user_info(text: &[u8], start: usize, cut: bool) -> Option<Range<usize>> {
    let rest = text.get(start..)?;
    let authority = until(rest, |byte| matches!(byte, b'/' | b'?' | b'#') || ends_url(byte));
    if let Some(end) = memrchr(b'@', authority) {
        return (end > 0).then(|| start..start + end);
    }
    if authority.len() == rest.len() && (cut || has_password(authority)) && !rest.is_empty() {
        return Some(start..text.len());
    }
    // `user:p/ss@host`: what follows the colon is no port, so the password goes on.
    let host = if authority.starts_with(b"[") { memchr(b']', authority)? } else { 0 };
    let host = authority.get(host..)?;
    let port = host.get(memchr(b':', host)? + 1..)?;
    if port.len() <= 5 && port.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let near = until(rest.get(..MAX_BROKEN_BYTES).unwrap_or(rest), ends_url);
    let end = memrchr(b'@', near).or_else(|| (cut && near.len() == rest.len()).then_some(near.len()))?;
    (end > 0).then(|| start..start + end)
}

/// The user info behind the colon of an encoded URL (`https%3A%2F%2Fuser%3Apassword%40host`), if there is any.
pub(crate) fn encoded_user_info(text: &[u8], colon: usize) -> Option<Range<usize>> {
    let slash = |at| decode(text, at).filter(|(byte, _)| *byte == b'/').map(|(_, next)| next);
    let start = slash(slash(colon)?)?;
    let (mut at, mut end) = (start, None);
    while let Some((byte, next)) = decode(text, at)
        && !matches!(byte, b'/' | b'?' | b'#' | b'&')
        && !ends_url(byte)
    {
        end = if byte == b'@' { Some(at) } else { end };
        at = next;
    }
    end.filter(|end| *end > start).map(|end| start..end)
}

/// Whether an authority without `@` is the beginning of `user:password@`: what follows the colon is no port.
fn has_password(authority: &[u8]) -> bool {
    let port = memchr(b':', authority).and_then(|colon| authority.get(colon + 1));
    !authority.starts_with(b"[") && port.is_some_and(|first| !first.is_ascii_digit())
}

fn until(text: &[u8], is_end: impl Fn(u8) -> bool) -> &[u8] {
    let end = text.iter().position(|byte| is_end(*byte)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

fn ends_url(byte: u8) -> bool {
    matches!(byte, 0..=b' ' | b'"' | b'<' | b'>' | b'`' | b'\\' | 0x7F)
}

#[cfg(test)]
mod tests;
