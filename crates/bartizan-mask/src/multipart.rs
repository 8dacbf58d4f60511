//! Multipart bodies (RFC 7578): fields by name, files without their contents.

use std::borrow::Cow;
use std::fmt::Write as _;

use memchr::memmem;

use crate::content::{Content, Type, parameter};
use crate::{Masker, json};

/// How many parts are shown; what follows is dropped.
const MAX_PARTS: usize = 256;

/// The longest value of a field that is looked through.
const MAX_VALUE_BYTES: usize = 64 * 1024;

/// Appends the parts of a body as a JSON array; `None` when it is no multipart body.
pub(crate) fn mask(masker: &Masker, boundary: &str, body: &[u8], cut: bool, out: &mut String) -> Option<()> {
    let delimiter = format!("\r\n--{boundary}");
    let opening = delimiter.trim_start();
    let finder = memmem::Finder::new(delimiter.as_bytes());
    // The first delimiter may stand at the very beginning, and a preamble before it is ignored.
    let mut rest = match body.strip_prefix(opening.as_bytes()) {
        Some(rest) => rest,
        None => match finder.find(body) {
            Some(at) => body.get(at + delimiter.len()..)?,
            None if cut => {
                out.push_str("[]");
                return Some(());
            }
            None => return None,
        },
    };
    out.push('[');
    for n in 0..MAX_PARTS {
        if rest.starts_with(b"--") {
            break;
        }
        let end = finder.find(rest);
        let part = rest.get(..end.unwrap_or(rest.len()))?;
        match Part::of(part, end.is_none()) {
            Some(part) => {
                out.push_str(if n > 0 { "," } else { "" });
                part.push(masker, out);
            }
            None if end.is_none() && cut => break,
            None => return None,
        }
        match end {
            Some(end) => rest = rest.get(end + delimiter.len()..)?,
            None if cut => break,
            None => return None,
        }
    }
    out.push(']');
    Some(())
}

struct Part<'p> {
    name: String,
    filename: Option<String>,
    content_type: Option<&'p str>,
    value: &'p [u8],
    cut: bool,
}

impl<'p> Part<'p> {
    /// Reads headers and value; `None` where the headers have no end or no name.
    fn of(part: &'p [u8], cut: bool) -> Option<Self> {
        // White space may follow the delimiter.
        let line = memmem::find(part, b"\r\n")?;
        if !part.get(..line)?.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            return None;
        }
        let end = memmem::find(part.get(line..)?, b"\r\n\r\n")? + line;
        let headers = str::from_utf8(part.get(line..end)?).ok()?;
        let value = part.get(end + 4..)?;
        let header = |name: &str| {
            headers.split("\r\n").find_map(|line| {
                let (found, value) = line.split_once(':')?;
                found.trim().eq_ignore_ascii_case(name).then_some(value.trim())
            })
        };
        let (_, disposition) = header("content-disposition")?.split_once(';')?;
        let name = parameter(disposition, "name")?.into_owned();
        let filename = parameter(disposition, "filename").or_else(|| parameter(disposition, "filename*"));
        Some(Self {
            name,
            filename: filename.map(Into::into),
            content_type: header("content-type"),
            value,
            cut,
        })
    }

    fn push(&self, masker: &Masker, out: &mut String) {
        out.push_str("{\"name\":");
        push_string(&masker.text_cow(&self.name), out);
        match self.shown(masker) {
            Some(value) => {
                out.push_str(",\"value\":");
                push_string(&value, out);
            }
            None => self.push_file(masker, out),
        }
        out.push('}');
    }

    /// The value of a field, masked; `None` where it is that of a file, or cannot be read.
    fn shown(&self, masker: &Masker) -> Option<Cow<'_, str>> {
        if self.filename.is_some() || self.value.len() > MAX_VALUE_BYTES {
            return None;
        }
        let content = Content::of(self.content_type.or(Some("text/plain")));
        if masker.is_sensitive(&self.name) {
            let hidden = if self.value.is_empty() && !self.cut { "" } else { masker.censor() };
            masker.count(usize::from(!hidden.is_empty()));
            return Some(hidden.to_owned().into());
        }
        match content.kind? {
            Type::Text => {
                let text = content.text(self.value, self.cut)?;
                Some(masker.part_of_text(&text, self.cut).into_owned().into())
            }
            Type::Json => masker.whole_json(self.value, self.cut).map(Into::into),
            _ => None,
        }
    }

    fn push_file(&self, masker: &Masker, out: &mut String) {
        if let Some(filename) = &self.filename {
            out.push_str(",\"filename\":");
            let hidden = masker.names().hides_others() && masker.is_sensitive(&self.name);
            push_string(&if hidden { masker.censor().into() } else { masker.text_cow(filename) }, out);
        }
        if let Some(content_type) = self.content_type {
            out.push_str(",\"content_type\":");
            push_string(Content::of(Some(content_type)).name(), out);
        }
        // Writing to a string does not fail.
        let _ = write!(out, ",\"bytes\":{}", self.value.len());
        if self.cut {
            out.push_str(",\"cut\":true");
        }
    }
}

fn push_string(text: &str, out: &mut String) {
    out.push('"');
    json::escaped(text, |part| out.push_str(part));
    out.push('"');
}

#[cfg(test)]
mod tests;
