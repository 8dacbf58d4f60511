//! The page as an HTTP answer.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, VARY,
};

use super::negotiation::{Format, wants_gzip};
use crate::store::Store;

/// All metrics in the format and encoding that a request asked for.
///
/// [`Store::page`] makes it.
#[derive(Clone, Debug)]
pub struct Page {
    /// For the `content-type` header.
    pub content_type: HeaderValue,
    /// For the `content-encoding` header, if the body is compressed.
    pub content_encoding: Option<HeaderValue>,
    /// The text.
    pub body: Bytes,
}

impl Store {
    /// The page for a request with these headers: `accept` chooses the format, `accept-encoding`
    /// whether it is compressed with gzip.
    ///
    /// The method and the path are the caller's affair: answer `GET` with all of it and `HEAD`
    /// without the body. The work is done on the calling thread; with thousands of histogram series
    /// it takes milliseconds, several times as many with gzip, so let a runtime's blocking pool do it.
    ///
    /// ```
    /// use bartizan_metrics::Store;
    /// use bytes::Bytes;
    /// use http::{HeaderMap, HeaderValue, Response, header};
    ///
    /// let store = Store::new();
    /// let mut headers = HeaderMap::new();
    /// headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    ///
    /// let response: Response<Bytes> = store.page(&headers).into_response();
    /// assert_eq!(response.headers()[header::CONTENT_TYPE], "text/plain; version=0.0.4; charset=utf-8");
    /// assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
    /// assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    /// ```
    pub fn page(&self, headers: &HeaderMap) -> Page {
        let format = Format::negotiate(headers.get_all(ACCEPT));
        let mut text = Vec::new();
        self.render(format, &mut text);
        let zipped = if wants_gzip(headers.get_all(ACCEPT_ENCODING)) { gzip(&text) } else { None };
        Page {
            content_type: format.content_type(),
            content_encoding: zipped.is_some().then(|| HeaderValue::from_static("gzip")),
            body: zipped.unwrap_or(text).into(),
        }
    }
}

impl Page {
    /// The page as a response of status 200 that no cache may keep.
    pub fn into_response<B: From<Bytes>>(self) -> http::Response<B> {
        let mut response = http::Response::new(B::from(self.body));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, self.content_type);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
        if let Some(encoding) = self.content_encoding {
            headers.insert(CONTENT_ENCODING, encoding);
        }
        response
    }
}

/// `None` if it fails, which writing into memory does not.
fn gzip(text: &[u8]) -> Option<Vec<u8>> {
    // Pages repeat themselves so much that more effort gains little.
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 16 + 64), Compression::fast());
    encoder.write_all(text).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn headers(pairs: &[(http::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn store() -> Store {
        let store = Store::new();
        metrics::with_local_recorder(&store, || metrics::counter!("orders_total").increment(3));
        store
    }

    #[test]
    fn the_page_is_what_the_request_asked_for() {
        let page = store().page(&headers(&[
            (ACCEPT, "application/openmetrics-text;version=1.0.0"),
            (ACCEPT_ENCODING, "gzip"),
        ]));
        assert_eq!(page.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
        assert_eq!(page.content_encoding.unwrap(), "gzip");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&*page.body).read_to_string(&mut text).unwrap();
        assert!(text.contains("# TYPE orders counter\norders_total 3\n"), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn a_bare_request_gets_plain_text() {
        let page = store().page(&HeaderMap::new());
        assert_eq!(page.content_type, "text/plain; version=0.0.4; charset=utf-8");
        assert!(page.content_encoding.is_none());
        let text = String::from_utf8(page.body.to_vec()).unwrap();
        assert!(text.contains("# TYPE orders_total counter\norders_total 3\n"), "{text}");
        assert!(!text.contains("EOF"));
    }

    #[test]
    fn every_accept_line_counts() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, HeaderValue::from_static("text/plain;q=0.5"));
        headers.append(ACCEPT, HeaderValue::from_static("application/openmetrics-text"));
        assert_eq!(store().page(&headers).content_type, Format::OpenMetrics1.content_type());
    }

    #[test]
    fn no_cache_keeps_or_mixes_up_a_response() {
        let response: http::Response<Bytes> = store().page(&HeaderMap::new()).into_response();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[VARY], "accept, accept-encoding");
        assert!(!response.headers().contains_key(CONTENT_ENCODING));
    }
}
