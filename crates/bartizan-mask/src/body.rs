//! Bodies that were captured, by their content type.

use crate::json::{JsonEnd, JsonMasker};
use crate::{Masker, content, multipart};
use content::{Content, Type};

/// How [`Masker::body`] has written a body, which tells how to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyForm {
    /// Nothing: the body is empty.
    Empty,
    /// One JSON document.
    Json,
    /// JSON documents, one a line.
    JsonLines,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// The parts of a multipart body as a JSON array of objects: `name`, then `value` of a field, or `filename`,
    /// `content_type` and `bytes` of a file.
    Multipart,
    /// Text.
    Text,
    /// `[image/png, 1234 bytes]`, in place of what is not shown.
    Placeholder,
}

/// What [`Masker::body`] tells of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MaskedBody {
    /// How it was written.
    pub form: BodyForm,
    /// Whether it was cut: when it was captured, or because it unpacks to more than is unpacked.
    pub cut: bool,
}

impl Masker {
    /// Appends a body, or the beginning of one, masked by its content type, and says how.
    ///
    /// JSON (`+json` too) is masked by [`json`](Self::json), JSON lines by [`ndjson`](Self::ndjson), a form by
    /// [`form`](Self::form), plain text and event streams by [`text`](Self::text). Of a multipart body the values
    /// of its fields are masked by name, and files are dropped. JSON that is cut is closed to valid JSON.
    ///
    /// It fails closed: what is of another type or has none, is invalid (for JSON and multipart), in a character
    /// set other than UTF-8 or Latin-1, or compressed, is replaced by a placeholder with type and length. With
    /// the feature `gzip`, `gzip` and `deflate` are unpacked, up to four times what was captured, or 64 KiB where that is more, and
    /// at most 1 MiB. What calls itself a form but begins as JSON, XML or multipart does is masked as JSON, or replaced.
    ///
    /// `cut` says that the body was longer than what was `captured`.
    ///
    /// ```
    /// use bartizan_mask::{BodyForm, Masker};
    ///
    /// let masker = Masker::default();
    /// let mut out = String::new();
    /// let body = masker.body(Some("application/json"), None, br#"{"pin": 1, "items": [1, 2"#, true, &mut out);
    /// assert_eq!((body.form, body.cut), (BodyForm::Json, true));
    /// assert_eq!(out, r#"{"pin":"[REDACTED]","items":[1]}"#);
    ///
    /// out.clear();
    /// let body = masker.body(Some("image/png"), None, b"\x89PNG", false, &mut out);
    /// assert_eq!((body.form, out.as_str()), (BodyForm::Placeholder, "[image/png, 4 bytes]"));
    /// ```
    pub fn body(
        &self,
        content_type: Option<&str>,
        content_encoding: Option<&str>,
        captured: &[u8],
        cut: bool,
        out: &mut String,
    ) -> MaskedBody {
        if captured.is_empty() && !cut {
            return MaskedBody { form: BodyForm::Empty, cut };
        }
        let content = Content::of(content_type);
        let unpacked = content.kind.and_then(|_| content::unpack(content_encoding, captured, cut));
        let start = out.len();
        let shown = unpacked.and_then(|(bytes, cut)| {
            let form = self.body_of(&content, &bytes, cut, out)?;
            Some(MaskedBody { form, cut })
        });
        shown.unwrap_or_else(|| {
            out.truncate(start);
            content.push_placeholder(captured.len(), cut, out);
            self.count_placeholder();
            MaskedBody { form: BodyForm::Placeholder, cut }
        })
    }

    /// A JSON document, or the beginning of one, masked; `None` when it is not valid.
    pub(crate) fn whole_json(&self, document: &[u8], cut: bool) -> Option<String> {
        in_one(self.json(), document, cut)
    }

    fn body_of(&self, content: &Content<'_>, bytes: &[u8], cut: bool, out: &mut String) -> Option<BodyForm> {
        Some(match content.kind? {
            Type::Json => {
                out.push_str(&self.whole_json(bytes, cut)?);
                BodyForm::Json
            }
            Type::JsonLines => {
                out.push_str(&in_one(self.ndjson(), bytes, cut)?);
                BodyForm::JsonLines
            }
            // No form has it; in another character set its names would not be known.
            Type::Form if bytes.contains(&0) => return None,
            // Many a client calls a form whatever it sends.
            Type::Form => match bytes.trim_ascii_start() {
                [b'{' | b'[', ..] => {
                    out.push_str(&self.whole_json(bytes, cut)?);
                    BodyForm::Json
                }
                [b'<', ..] | [b'-', b'-', ..] => return None,
                _ => {
                    self.part_of_form(bytes, cut, out);
                    BodyForm::Form
                }
            },
            Type::Multipart => {
                multipart::mask(self, &content.boundary()?, bytes, cut, out)?;
                BodyForm::Multipart
            }
            // It has no name that could be allowed.
            Type::Text if self.names().hides_others() => return None,
            Type::Text => {
                let text = content.text(bytes, cut)?;
                out.push_str(&self.part_of_text(&text, cut));
                BodyForm::Text
            }
        })
    }
}

fn in_one(mut json: JsonMasker, bytes: &[u8], cut: bool) -> Option<String> {
    let mut masked = Vec::with_capacity(bytes.len());
    json.push(bytes, &mut masked);
    let end = json.finish(cut, &mut masked);
    // A body that ends too early though it is whole is not what it says it is.
    let valid = end != JsonEnd::Invalid && (cut || end == JsonEnd::Complete);
    if valid { String::from_utf8(masked).ok() } else { None }
}

#[cfg(test)]
mod tests;
