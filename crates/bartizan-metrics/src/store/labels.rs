//! Label sets: bounded on the way in, and turned into the text that a page copies.

use std::borrow::Cow;

use metrics::{Key, Label};

use super::cell::Kind;
use super::names;

/// Longest label value kept, in bytes.
pub(crate) const MAX_VALUE: usize = 512;
/// Longest label name kept, in bytes.
const MAX_NAME: usize = 128;
/// Most labels kept in one set.
pub(crate) const MAX_LABELS: usize = 64;

/// The value of every label of the series that takes what is past a cap.
pub(crate) const OVERFLOW: &str = "overflow";

/// The same key within the limits: what is stored is never larger, whatever the caller sends.
pub(crate) fn bounded(key: &Key) -> Cow<'_, Key> {
    let fits = |label: &Label| label.key().len() <= MAX_NAME && label.value().len() <= MAX_VALUE;
    if key.labels().len() <= MAX_LABELS && key.labels().all(fits) {
        return Cow::Borrowed(key);
    }
    let shorter = |label: &Label| {
        Label::new(cut(label.key(), MAX_NAME).to_owned(), cut(label.value(), MAX_VALUE).to_owned())
    };
    let labels: Vec<Label> = key.labels().take(MAX_LABELS).map(shorter).collect();
    Cow::Owned(Key::from_parts(key.name().to_owned(), labels))
}

/// `name="value",...`, sorted by name: the text between the braces, and the identity of a series.
///
/// An empty value is the same as no label to Prometheus, so it is left out.
pub(crate) fn text<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>, kind: Kind) -> String {
    let mut seen: Vec<(String, &str)> = Vec::new();
    for (name, value) in labels.filter(|(_, value)| !value.is_empty()) {
        let mut name = names::label_name(name);
        let taken = match kind {
            Kind::Histogram => name == "le",
            Kind::Summary => name == "quantile",
            Kind::Counter | Kind::Gauge => false,
        };
        if taken {
            name.insert_str(0, "exported_");
        }
        if !seen.iter().any(|(other, _)| *other == name) {
            seen.push((name, value));
        }
    }
    seen.sort_unstable();
    let mut text = String::with_capacity(seen.iter().map(|(name, value)| name.len() + value.len() + 4).sum());
    for (name, value) in seen {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&name);
        text.push_str("=\"");
        escape(value, true, &mut text);
        text.push('"');
    }
    text
}

/// The value of a label as it stands in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Escaped<'a>(&'a str);

impl<'a> Escaped<'a> {
    /// The value itself, in `buffer` if it is not there as it is.
    pub(crate) fn unescape<'b>(self, buffer: &'b mut String) -> &'b str
    where
        'a: 'b,
    {
        if !self.0.contains('\\') {
            return self.0;
        }
        buffer.clear();
        let mut chars = self.0.chars();
        while let Some(c) = chars.next() {
            buffer.push(match c {
                '\\' => match chars.next() {
                    Some('n') => '\n',
                    Some(other) => other,
                    None => c,
                },
                c => c,
            });
        }
        buffer
    }
}

/// The labels of a [`text`], one after the other.
pub(crate) fn parse(text: &str) -> impl Iterator<Item = (&str, Escaped<'_>)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (name, after) = rest.split_once("=\"")?;
        let mut escaped = false;
        let end = after.bytes().position(|byte| {
            let end = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            end
        })?;
        let (value, after) = after.split_at(end);
        rest = after.strip_prefix("\",").unwrap_or_default();
        Some((name, Escaped(value)))
    })
}

/// The beginning of a text, at most so many bytes of it, ending between two characters.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// The labels of a key, as pairs.
pub(crate) fn pairs(key: &Key) -> impl Iterator<Item = (&str, &str)> {
    key.labels().map(|label| (label.key(), label.value()))
}

/// Writes text with `\`, line ends and (where asked) `"` escaped.
pub(crate) fn escape(text: &str, quotes: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge(labels: &[(&str, &str)]) -> String {
        text(labels.iter().copied(), Kind::Gauge)
    }

    #[test]
    fn values_are_escaped() {
        assert_eq!(gauge(&[("a", "1\"2\\3\n4")]), r#"a="1\"2\\3\n4""#);
    }

    #[test]
    fn labels_are_sorted_and_told_once() {
        assert_eq!(gauge(&[("b", "2"), ("a.x", "1"), ("a_x", "3"), ("b", "4")]), r#"a_x="1",b="2""#);
    }

    #[test]
    fn a_text_is_read_back() {
        let labels = [("a", "1\"2\\3\n4"), ("b", "\\"), ("c", "\\n\",d=\"x"), ("e", "ä=\"")];
        let text = gauge(&labels);
        let mut buffer = String::new();
        let read: Vec<_> = parse(&text)
            .map(|(name, value)| (name.to_owned(), value.unescape(&mut buffer).to_owned()))
            .collect();
        assert_eq!(read, labels.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(parse("").count(), 0);
    }

    #[test]
    fn an_empty_value_is_no_label() {
        assert_eq!(gauge(&[("a", ""), ("b", "")]), "");
    }

    #[test]
    fn a_histogram_keeps_le_for_itself() {
        assert_eq!(text([("le", "x")].into_iter(), Kind::Histogram), r#"exported_le="x""#);
        assert_eq!(gauge(&[("le", "x")]), r#"le="x""#);
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        let long = "ä".repeat(MAX_VALUE);
        let key = Key::from_parts("m", vec![Label::new("l", format!("x{long}"))]);
        let cut = bounded(&key).into_owned();
        let value = cut.labels().next().unwrap().value().to_owned();
        assert_eq!(value.len(), MAX_VALUE - 1);
        assert!(key.labels().next().unwrap().value().starts_with(&value));
    }

    #[test]
    fn too_many_labels_are_left_out() {
        let labels: Vec<Label> = (0..100).map(|n| Label::new(format!("l{n}"), "v")).collect();
        let key = Key::from_parts("m", labels);
        assert_eq!(bounded(&key).labels().len(), MAX_LABELS);
    }

    #[test]
    fn a_key_within_the_limits_is_not_copied() {
        let key = Key::from_parts("m", &[("a", "b")]);
        assert!(matches!(bounded(&key), Cow::Borrowed(_)));
    }
}
