//! Paths: segments by the name of their route parameter.

use std::borrow::Cow;
use std::fmt;

use crate::Masker;
use crate::edit::{Edit, Escape};
use crate::names::Names;
use crate::{nested, url};

impl Masker {
    /// Writes a path with the segments of sensitive route parameters masked; returns how many values
    /// that were.
    ///
    /// The template is the matched route as axum writes it: `/users/{token}/x`, `/files/{*path}`; a
    /// segment may also be `:token`. A template may stand for the beginning of the path (a nested
    /// service) or, where a router has stripped its prefix from the path, end with it. In a path that
    /// fits no part of the template, and in all other segments, `;name=value` parameters and user info
    /// are masked, and bytes outside printable ASCII are percent-encoded.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    ///
    /// ```
    /// let mut out = String::new();
    /// bartizan_mask::Masker::default().path("/reset/4f2a/step", "/reset/{token}/{page}", &mut out)?;
    /// assert_eq!(out, "/reset/[REDACTED]/step");
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    pub fn path<W>(
        &self,
        path: impl AsRef<[u8]>,
        template: &str,
        mut out: &mut W,
    ) -> Result<usize, fmt::Error>
    where
        W: fmt::Write + ?Sized,
    {
        let path = path.as_ref();
        let Ok(path) = str::from_utf8(path) else {
            let template = self.sensitive_template(template);
            return self.edit(path, Escape::Percent, &mut out, |names, edit| find(names, edit, template));
        };
        self.path_str(path, template, out)
    }

    /// [`path`](Self::path) for what is known to be text, as that of a `Uri` is.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    ///
    /// ```
    /// let mut out = String::new();
    /// bartizan_mask::Masker::default().path_str("/users/7", "/users/{id}", &mut out)?;
    /// assert_eq!(out, "/users/7");
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    pub fn path_str<W>(&self, path: &str, template: &str, mut out: &mut W) -> Result<usize, fmt::Error>
    where
        W: fmt::Write + ?Sized,
    {
        let template = self.sensitive_template(template);
        if template.is_none() && self.shows_plain(path.as_bytes()) {
            return out.write_str(path).map(|()| 0);
        }
        self.edit(path.as_bytes(), Escape::Percent, &mut out, |names, edit| find(names, edit, template))
    }

    /// [`path`](Self::path) as a string, borrowed when nothing changes.
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::default();
    /// assert_eq!(masker.path_cow("/users/7", "/users/{id}"), "/users/7");
    /// assert_eq!(masker.path_cow("/users/7", "/users/{id_token}"), "/users/[REDACTED]");
    /// ```
    pub fn path_cow<'p>(&self, path: &'p str, template: &str) -> Cow<'p, str> {
        let template = self.sensitive_template(template);
        if template.is_none() && self.shows_plain(path.as_bytes()) {
            return Cow::Borrowed(path);
        }
        self.edit_cow(path, Escape::Percent, |names, edit| find(names, edit, template)).0
    }

    /// The template, if a parameter of it is sensitive.
    fn sensitive_template<'t>(&self, template: &'t str) -> Option<&'t str> {
        let mut segments = template.as_bytes().split(|byte| *byte == b'/').map(Segment::of);
        let is_sensitive = |segment| match segment {
            Segment::Parameter(name) | Segment::Rest(name) => self.is_sensitive_bytes(name),
            Segment::Literal => false,
        };
        segments.any(is_sensitive).then_some(template)
    }
}

/// Hides the sensitive parameters of a template that has some, and what else shows itself.
fn find(names: &Names, edit: &mut Edit<'_>, template: Option<&str>) {
    let path = edit.input();
    let start = usize::from(path.starts_with(b"/"));
    let template = template.map(|template| template.strip_prefix('/').unwrap_or(template));
    match template.and_then(|template| fitting(edit.slice(start..path.len()), template)) {
        Some(template) => hide_parameters(names, edit, start, template),
        None => url::find(names, edit, 0..path.len()),
    }
}

/// The part of the template that the path fits: all of it, or what is left of it without the segments
/// that a router has stripped.
fn fitting<'t>(path: &[u8], template: &'t str) -> Option<&'t str> {
    if fits(path, template, true) {
        return Some(template);
    }
    let mut rest = template;
    while let Some((_, tail)) = rest.split_once('/') {
        if fits(path, tail, false) {
            return Some(tail);
        }
        rest = tail;
    }
    None
}

fn fits(path: &[u8], template: &str, as_prefix: bool) -> bool {
    let mut path = path.split(|byte| *byte == b'/');
    for segment in template.split('/') {
        let Some(value) = path.next() else { return false };
        match Segment::of(segment.as_bytes()) {
            Segment::Rest(_) => return true,
            Segment::Parameter(_) => {}
            Segment::Literal if is_literal(segment, value) => {}
            Segment::Literal => return false,
        }
    }
    as_prefix || path.next().is_none()
}

fn hide_parameters(names: &Names, edit: &mut Edit<'_>, start: usize, template: &str) {
    let path = edit.input();
    let mut template = template.as_bytes().split(|byte| *byte == b'/').map(Segment::of);
    let mut at = start;
    while at < path.len() {
        let end =
            edit.slice(at..path.len()).iter().position(|byte| *byte == b'/').map_or(path.len(), |n| at + n);
        match template.next() {
            Some(Segment::Rest(name)) => {
                return match names.hides(name) {
                    Some(hide) => edit.hide_as(at..path.len(), hide),
                    None => url::find_path(names, edit, at..path.len()),
                };
            }
            None => return url::find_path(names, edit, at..path.len()),
            Some(Segment::Parameter(name)) => match names.hides(name) {
                Some(hide) => edit.hide_as(at..end, hide),
                None => nested::find(names, edit, at..end),
            },
            Some(Segment::Literal) => nested::find(names, edit, at..end),
        }
        at = end + 1;
    }
}

/// One segment of a route template.
enum Segment<'t> {
    Literal,
    Parameter(&'t [u8]),
    /// A parameter that takes the rest of the path.
    Rest(&'t [u8]),
}

impl<'t> Segment<'t> {
    fn of(segment: &'t [u8]) -> Self {
        if let [b':', name @ ..] = segment {
            return Self::Parameter(name);
        }
        let Some(brace) = segment.iter().position(|byte| *byte == b'{') else { return Self::Literal };
        let after = segment.get(brace + 1..).unwrap_or_default();
        let end = after.iter().position(|byte| *byte == b'}').unwrap_or(after.len());
        match after.get(..end).unwrap_or_default() {
            _ if after.starts_with(b"{") => Self::Literal,
            [b'*', name @ ..] => Self::Rest(name),
            name => Self::Parameter(name),
        }
    }
}

/// Whether a literal segment, in which braces are doubled, is this one.
fn is_literal(segment: &str, value: &[u8]) -> bool {
    let mut previous = None;
    let undoubled = segment.bytes().filter(|byte| {
        let double = matches!(byte, b'{' | b'}') && previous == Some(*byte);
        previous = (!double).then_some(*byte);
        !double
    });
    undoubled.eq(value.iter().copied())
}

#[cfg(test)]
mod tests;
