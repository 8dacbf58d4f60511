//! Free text: messages, error chains, `Debug` output, header values.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use memchr::memrchr;

use crate::Masker;
use crate::edit::{Edit, Escape};
use crate::look::{self, PAIR, SCHEME};
use crate::names::{Hide, Names};
use crate::percent::decode;
use crate::url::{encoded_user_info, user_info};

mod credential;
mod value;

impl Masker {
    /// Writes free text with the secrets that show themselves masked; returns how many that were.
    ///
    /// Found are: `name=value` and `name: value` with a sensitive name, quoted or not, in prose, logfmt,
    /// JSON (escaped too), `Debug` output; the user info of a URL; what follows `Bearer` and `Basic`.
    ///
    /// A quoted value ends at its closing quotation mark; if that is missing, with the text. A value that
    /// opens a bracket (`Some("x")`, `Token { .. }`, `["a", "b"]`) is masked with the whole group. Any other
    /// ends at white space or one of `,` `;` `&` `)` `}` `]`, save that what follows `authorization:` or
    /// `cookie:` goes to the end of the line. So only one word of an unquoted value with blanks is hidden,
    /// and a secret without a name (`connected as hunter2`) cannot be found: give secrets a field of
    /// their own. One pass, linear in the length of the text.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    ///
    /// ```
    /// let mut out = String::new();
    /// bartizan_mask::Masker::default().text("login Login { user: \"ada\", password: Some(\"x\") }", &mut out)?;
    /// assert_eq!(out, "login Login { user: \"ada\", password: [REDACTED] }");
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    pub fn text<W>(&self, text: &str, mut out: &mut W) -> Result<usize, fmt::Error>
    where
        W: fmt::Write + ?Sized,
    {
        self.edit(text.as_bytes(), Escape::Nothing, &mut out, find)
    }

    /// [`text`](Self::text) as a string, borrowed when there is nothing to mask.
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::default();
    /// assert!(matches!(masker.text_cow("order 7: paid"), std::borrow::Cow::Borrowed(_)));
    /// assert_eq!(masker.text_cow("GET /x?token=4f failed"), "GET /x?token=[REDACTED] failed");
    /// ```
    pub fn text_cow<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.part_of_text(text, false)
    }

    /// [`text_cow`](Self::text_cow) for a text that may be only the beginning of one: hides what may be the
    /// beginning of a secret at its end, such as a URL that is cut within its authority.
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::default();
    /// assert_eq!(masker.cut_text_cow("dial amqp://ada:hunt"), "dial amqp://REDACTED:REDACTED");
    /// ```
    pub fn cut_text_cow<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.part_of_text(text, true)
    }

    pub(crate) fn part_of_text<'t>(&self, text: &'t str, cut: bool) -> Cow<'t, str> {
        let find = |names: &Names, edit: &mut Edit<'_>| {
            edit.set_cut(cut);
            find(names, edit);
        };
        self.edit_cow(text, Escape::Nothing, find).0
    }
}

pub(crate) fn find(names: &Names, edit: &mut Edit<'_>) {
    let text = edit.input();
    // Nothing before `floor` can belong to a name any more.
    let (mut floor, mut at) = (0, 0);
    while let Some((mark, byte)) = next_mark(text, at) {
        at = mark + 1;
        let rest = edit.slice(mark..text.len());
        if let b'b' | b'B' = byte {
            if let Some(span) = credential::after_scheme(text, mark, edit.is_cut()) {
                (floor, at) = (span.end, span.end);
                edit.hide(span);
            }
            continue;
        }
        let Some(after) = after_delimiter(text, mark) else { continue };
        at = after;
        if rest.starts_with(b"::") {
            at = mark + 2;
        } else if rest.starts_with(b"://") {
            at = mark + 3;
            if let Some(span) = user_info(text, at, edit.is_cut()) {
                at = span.end;
                edit.hide_user_info(span);
            }
        } else if let Some(span) = encoded_user_info(text, after) {
            at = span.end;
            edit.hide_user_info(span);
        } else if let Some((name, hide)) = sensitive_name(names, text, floor..mark, byte) {
            let line = byte == b':' && is_header(edit.slice(name));
            let span = value::span(text, after, line, edit.censor());
            at = span.end.max(after);
            edit.hide_as(span, hide);
        }
        floor = at;
    }
}

/// The next byte that may end a name or begin a credential.
fn next_mark(text: &[u8], at: usize) -> Option<(usize, u8)> {
    let mark = at + look::first::<{ PAIR | SCHEME }>(text.get(at..)?)?;
    Some((mark, *text.get(mark)?))
}

/// Where the delimiter at `mark` ends: `=`, `:`, an encoded `=`, `=>`, `:=`, `==`.
fn after_delimiter(text: &[u8], mark: usize) -> Option<usize> {
    let (byte, next) = decode(text, mark)?;
    let second = matches!(text.get(next), Some(b'=' | b'>'));
    // Without a blank or a quotation mark behind it, the second byte is the value's own.
    let operator = second && matches!(text.get(next + 1), Some(b' ' | b'"' | b'\'' | b'`'));
    matches!(byte, b'=' | b':').then_some(if operator { next + 1 } else { next })
}

/// The sensitive name that ends `before` a delimiter, if there is one, and how its value is hidden.
fn sensitive_name(
    names: &Names,
    text: &[u8],
    before: Range<usize>,
    delimiter: u8,
) -> Option<(Range<usize>, Hide)> {
    let floor = before.start;
    let head = text.get(..before.end)?;
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let end = back(head, floor, blank);
    let quote_end = back_white(head, floor);
    let quote_end = quote_end - usize::from(head.get(..quote_end)?.ends_with(b"]"));
    let judged = |name: Range<usize>| Some((name.clone(), names.hides_end(text.get(name)?)?));
    if quote_end > floor
        && let Some(quote @ (b'"' | b'\'' | b'`')) = head.get(quote_end - 1)
    {
        let close = back(head.get(..quote_end - 1)?, floor, |byte| *byte == b'\\');
        let open = memrchr(*quote, head.get(floor..close)?).map_or(floor, |offset| floor + offset + 1);
        return judged(open..close);
    }
    let in_name = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || *byte >= 0x80
            || matches!(byte, b'_' | b'-' | b'.' | b'%' | b'[' | b']')
    };
    let start = back(head.get(..end)?, floor, in_name);
    // `[auth]: message` is a prefix of log lines.
    if start == end || (delimiter == b':' && head.get(start) == Some(&b'[')) {
        return None;
    }
    // `api key: x` is a name of two words.
    let two = back(head.get(..start)?, floor, blank);
    let two = if two < start { back(head.get(..two)?, floor, in_name) } else { start };
    // In `a=1 b=2` the word before is the value of the last pair.
    let is_value = two == floor && head.get(..floor)?.ends_with(b"=");
    judged(start..end).or_else(|| if two < start && !is_value { judged(two..end) } else { None })
}

/// Where the run of such bytes that ends the text begins, not before `floor`.
fn back(text: &[u8], floor: usize, is_part: impl Fn(&u8) -> bool) -> usize {
    let run = text.get(floor..).unwrap_or_default();
    floor + run.iter().rposition(|byte| !is_part(byte)).map_or(0, |offset| offset + 1)
}

/// As [`back`], for white space, escaped or not.
fn back_white(text: &[u8], floor: usize) -> usize {
    let mut end = text.len();
    loop {
        let white = back(text.get(..end).unwrap_or_default(), floor, u8::is_ascii_whitespace);
        let letter = text.get(floor..white).and_then(<[u8]>::split_last);
        let escaped = match letter {
            Some((b'n' | b't' | b'r', head)) => head.iter().rev().take_while(|byte| **byte == b'\\').count(),
            _ => 0,
        };
        if escaped == 0 {
            return white;
        }
        end = white - escaped - 1;
    }
}

/// Whether the value under this name is a header line with blanks in it.
fn is_header(name: &[u8]) -> bool {
    ["authorization", "cookie"].iter().any(|header| {
        let tail = name.get(name.len().saturating_sub(header.len())..);
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(header.as_bytes()))
    })
}

#[cfg(test)]
mod tests;
