//! Which format a scraper gets.

#[cfg(test)]
mod tests;

use http::HeaderValue;

use super::accept::{Item, items};

/// A format of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// The Prometheus text format 0.0.4: every scraper and every human can read it.
    Text004,
    /// OpenMetrics 1.0, which also carries units and exemplars.
    OpenMetrics1,
    /// `io.prometheus.client.MetricFamily` messages, each after its length: the one format that
    /// also carries native histograms. Prometheus asks for it where these are switched on.
    Protobuf,
}

impl Format {
    /// How many there are.
    pub(crate) const COUNT: usize = 3;

    /// The `content-type` of a page in this format.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Text004 => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics1 => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        })
    }

    /// The format that a request asks for, by its `accept` headers.
    ///
    /// OpenMetrics (versions 1.0.0 and 0.0.1) and protobuf (delimited) go only to those who name
    /// them. The highest weight wins, and at equal weights the one named first. Everybody else
    /// gets text, also when they ask for what is not offered or send something unreadable, because
    /// a page in a readable format is of more use than an error.
    ///
    /// ```
    /// use bartizan_metrics::Format;
    /// use http::{HeaderMap, HeaderValue, header::ACCEPT};
    ///
    /// let mut headers = HeaderMap::new();
    /// assert_eq!(Format::negotiate(headers.get_all(ACCEPT)), Format::Text004);
    ///
    /// let prometheus = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
    /// headers.insert(ACCEPT, HeaderValue::from_static(prometheus));
    /// assert_eq!(Format::negotiate(headers.get_all(ACCEPT)), Format::OpenMetrics1);
    /// ```
    pub fn negotiate<'a>(accept: impl IntoIterator<Item = &'a HeaderValue>) -> Self {
        Answer::to(accept).format
    }
}

/// How a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) format: Format,
    /// Whether OpenMetrics is asked for as version 0.0.1, of which 1.0.0 is the finished form.
    early: bool,
    escaping: Option<Escaping>,
}

/// How names are written that older scrapers cannot read. Names on a page never need it, so every
/// scheme that leaves plain names alone has been followed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escaping {
    AllowUtf8,
    Underscores,
    Values,
}

impl Escaping {
    fn of(range: &Item<'_>) -> Option<Self> {
        match range.parameter("escaping")? {
            "allow-utf-8" => Some(Self::AllowUtf8),
            // `dots` would double the underscores of plain names too: the answer says what was done instead.
            "underscores" | "dots" => Some(Self::Underscores),
            "values" => Some(Self::Values),
            _ => None,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Values => "values",
        }
    }
}

impl Answer {
    const TEXT: Self = Self { format: Format::Text004, early: false, escaping: None };

    pub(super) fn to<'a>(accept: impl IntoIterator<Item = &'a HeaderValue>) -> Self {
        // The best that was named, and its weight.
        let mut named: Option<(u16, Self)> = None;
        // How exactly the best range for text names it, its weight, and whether it came before `named`.
        let mut text: (u8, u16) = (0, 0);
        let mut text_first = false;
        for range in items(accept) {
            if let Some(answer) = Self::named_by(&range) {
                if range.weight > named.map_or(0, |(weight, _)| weight) {
                    named = Some((range.weight, answer));
                    text_first = text.0 >= 3;
                }
            } else if let Some(exactness) = names_text(&range) {
                text = text.max((exactness, range.weight));
            }
        }
        match named {
            Some((weight, answer)) if weight > text.1 || weight == text.1 && !text_first => answer,
            _ => Self::TEXT,
        }
    }

    /// The answer that a range names and that is not text.
    fn named_by(range: &Item<'_>) -> Option<Self> {
        let answer = |format, early| Self { format, early, escaping: Escaping::of(range) };
        if range.is("application/openmetrics-text") {
            return match range.parameter("version") {
                None | Some("1.0.0") => Some(answer(Format::OpenMetrics1, false)),
                Some("0.0.1") => Some(answer(Format::OpenMetrics1, true)),
                Some(_) => None,
            };
        }
        let protobuf = range.is("application/vnd.google.protobuf")
            && range.parameter("proto") == Some("io.prometheus.client.MetricFamily")
            && range.parameter("encoding") == Some("delimited");
        protobuf.then(|| answer(Format::Protobuf, false))
    }

    pub(super) fn content_type(self) -> HeaderValue {
        let plain = self.format.content_type();
        if !self.early && self.escaping.is_none() {
            return plain;
        }
        let mut text = plain.to_str().unwrap_or_default().to_owned();
        if self.early {
            text = text.replace("version=1.0.0", "version=0.0.1");
        }
        if let Some(escaping) = self.escaping {
            text = format!("{text}; escaping={}", escaping.as_str());
        }
        HeaderValue::try_from(text).unwrap_or(plain)
    }
}

/// How exactly a range names the text format; `None` if it does not.
fn names_text(range: &Item<'_>) -> Option<u8> {
    if range.is("text/plain") {
        return match range.parameter("version") {
            Some("0.0.4") => Some(4),
            None => Some(3),
            Some(_) => None,
        };
    }
    if range.is("text/*") {
        return Some(2);
    }
    range.is("*/*").then_some(1)
}
