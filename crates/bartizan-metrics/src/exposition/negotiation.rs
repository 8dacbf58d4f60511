//! Which format a scraper gets, and whether it is compressed.

use http::HeaderValue;

/// A format of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// The Prometheus text format 0.0.4: every scraper and every human can read it.
    Text004,
    /// OpenMetrics 1.0, which also carries units and exemplars.
    OpenMetrics1,
}

impl Format {
    /// The `content-type` of a page in this format.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Text004 => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics1 => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        })
    }

    /// The format that a request asks for, by its `accept` headers.
    ///
    /// OpenMetrics goes only to those who name it (version 1.0.0, 0.0.1 or none) and do not prefer
    /// text; at equal preference the one named first wins. Everybody else gets text, also when they
    /// ask for what is not offered (protobuf, other versions) or send something unreadable, because
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
        let mut open_metrics: Option<u16> = None;
        // How exactly the best range for text names it, and its weight.
        let mut text: (u8, u16) = (0, 0);
        let mut text_first = false;
        for range in items(accept) {
            let version = range.parameter("version");
            let matched = match range.name.to_ascii_lowercase().as_str() {
                "application/openmetrics-text" => {
                    if matches!(version, None | Some("1.0.0" | "0.0.1")) {
                        open_metrics = open_metrics.max(Some(range.weight));
                    }
                    continue;
                }
                "text/plain" if version == Some("0.0.4") => 4,
                "text/plain" if version.is_none() => 3,
                "text/*" => 2,
                "*/*" => 1,
                _ => continue,
            };
            text_first |= matched >= 3 && open_metrics.is_none();
            text = text.max((matched, range.weight));
        }
        match open_metrics {
            Some(weight) if weight > 0 && (weight > text.1 || weight == text.1 && !text_first) => {
                Self::OpenMetrics1
            }
            _ => Self::Text004,
        }
    }
}

/// Whether a request asks for gzip, by its `accept-encoding` headers.
pub(crate) fn wants_gzip<'a>(accept_encoding: impl IntoIterator<Item = &'a HeaderValue>) -> bool {
    let (mut gzip, mut any, mut identity) = (None, None, None);
    for coding in items(accept_encoding) {
        let slot = match coding.name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => &mut gzip,
            "identity" => &mut identity,
            "*" => &mut any,
            _ => continue,
        };
        *slot = Some(coding.weight);
    }
    let gzip = gzip.or(any).unwrap_or(0);
    gzip > 0 && gzip >= identity.unwrap_or(0)
}

/// One member of a comma-separated list with weights.
struct Item<'a> {
    name: &'a str,
    parameters: &'a str,
    /// The `q` parameter in thousandths.
    weight: u16,
}

impl<'a> Item<'a> {
    /// `None` if the weight is not one: then nobody knows what is meant.
    fn parse(text: &'a str) -> Option<Self> {
        let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
        let mut item = Self { name: name.trim(), parameters, weight: 1000 };
        if let Some(q) = item.parameter("q") {
            item.weight = weight(q)?;
        }
        (!item.name.is_empty()).then_some(item)
    }

    fn parameter(&self, wanted: &str) -> Option<&'a str> {
        let mut parameters = self.parameters.split(';').filter_map(|parameter| parameter.split_once('='));
        parameters
            .find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim().trim_matches('"'))
    }
}

fn items<'a>(values: impl IntoIterator<Item = &'a HeaderValue>) -> impl Iterator<Item = Item<'a>> {
    values
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(Item::parse)
}

/// `0` to `1` with at most three decimals, in thousandths.
fn weight(q: &str) -> Option<u16> {
    let (whole, decimals) = q.split_once('.').unwrap_or((q, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiate(accept: &'static str) -> Format {
        Format::negotiate(Some(&HeaderValue::from_static(accept)))
    }

    #[test]
    fn real_scrapers_get_what_they_prefer() {
        use Format::{OpenMetrics1, Text004};
        for (who, accept, format) in [
            (
                "Prometheus 2.42, Grafana Alloy",
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                OpenMetrics1,
            ),
            (
                "Prometheus 2.42 with native histograms",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
                 application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                OpenMetrics1,
            ),
            (
                "Prometheus 3",
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                 application/openmetrics-text;version=0.0.1;q=0.5,\
                 text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                OpenMetrics1,
            ),
            (
                "Prometheus 3 told to use text",
                "text/plain;version=0.0.4;escaping=underscores;q=0.6,*/*;q=0.5",
                Text004,
            ),
            (
                "Prometheus 2.0",
                "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                OpenMetrics1,
            ),
            (
                "Prometheus 1",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
                Text004,
            ),
            ("curl", "*/*", Text004),
            (
                "Firefox",
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
                Text004,
            ),
            ("Datadog agent, text", "text/plain", Text004),
            (
                "Datadog agent, OpenMetrics",
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1",
                OpenMetrics1,
            ),
            (
                "Datadog agent, both",
                "application/openmetrics-text; version=0.0.1,text/plain;q=0.5",
                OpenMetrics1,
            ),
        ] {
            assert_eq!(negotiate(accept), format, "{who}");
        }
    }

    #[test]
    fn weights_versions_and_order_decide() {
        use Format::{OpenMetrics1, Text004};
        for (accept, format) in [
            ("application/openmetrics-text", OpenMetrics1),
            ("Application/OpenMetrics-Text; Version=\"1.0.0\" ; Q=0.2", OpenMetrics1),
            ("application/openmetrics-text;version=2.0.0", Text004),
            ("application/openmetrics-text;q=0", Text004),
            ("application/openmetrics-text;q=0.3,text/plain;q=0.4", Text004),
            ("application/openmetrics-text;q=0.001", OpenMetrics1),
            ("application/openmetrics-text,text/plain", OpenMetrics1),
            ("text/plain,application/openmetrics-text", Text004),
            ("*/*,application/openmetrics-text", OpenMetrics1),
            ("*/*;q=1,text/plain;q=0.1,application/openmetrics-text;q=0.5", OpenMetrics1),
            ("application/openmetrics-text;q=0.5,text/*;q=0.8", Text004),
            ("application/*", Text004),
            ("text/plain;q=0", Text004),
        ] {
            assert_eq!(negotiate(accept), format, "{accept}");
        }
    }

    #[test]
    fn garbage_gets_text() {
        for accept in ["", ",,,", ";;;", "application/openmetrics-text;q=high", "=;q=0.5,", "q=1", "/"] {
            assert_eq!(negotiate(accept), Format::Text004, "{accept}");
        }
        for q in ["2", "-1", "1.1", "0.1234", "0.5.5", "1.001", "", ".", "0x1"] {
            let accept = HeaderValue::from_str(&format!("application/openmetrics-text;q={q}")).unwrap();
            assert_eq!(Format::negotiate(Some(&accept)), Format::Text004, "{q}");
        }
        let binary = HeaderValue::from_bytes(b"application/openmetrics-text\xff").unwrap();
        assert_eq!(Format::negotiate(Some(&binary)), Format::Text004);
        assert_eq!(Format::negotiate(None), Format::Text004);
    }

    #[test]
    fn gzip_goes_to_those_who_ask() {
        for (accept, gzip) in [
            ("gzip", true),
            ("gzip, deflate, br", true),
            ("GZIP;q=0.5", true),
            ("x-gzip", true),
            ("*", true),
            ("gzip;q=1.0, identity; q=0.5, *;q=0", true),
            ("gzip;q=0", false),
            ("gzip;q=0, *", false),
            ("gzip;q=0.4, identity;q=0.5", false),
            ("identity", false),
            ("br, zstd", false),
            ("", false),
            ("gzip;q=maybe", false),
        ] {
            assert_eq!(wants_gzip(Some(&HeaderValue::from_static(accept))), gzip, "{accept}");
        }
        assert!(!wants_gzip(None));
    }
}
