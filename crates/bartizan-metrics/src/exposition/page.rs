//! The page as an HTTP answer.

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, VARY,
};

use super::encoding::{Encoder, Encoding};
use super::negotiation::{Answer, Format};
use crate::store::Store;

/// How much of a page is written before it is compressed.
const PIECE: usize = 64 * 1024;

/// All metrics in the format and encoding that a request asked for.
///
/// [`Store::page`] makes it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page {
    /// For the `content-type` header.
    pub content_type: HeaderValue,
    /// For the `content-encoding` header, if the body is compressed.
    pub content_encoding: Option<HeaderValue>,
    /// The page.
    pub body: Bytes,
}

impl Store {
    /// The page for a request with these headers: `accept` chooses the format, `accept-encoding`
    /// whether it is compressed, with gzip or (feature `zstd`) with zstd.
    ///
    /// The method and the path are the caller's affair: answer `GET` with all of it and `HEAD`
    /// without the body. The work is done on the calling thread; with thousands of histogram series
    /// it takes milliseconds, so let a runtime's blocking pool do it. It takes at most thrice the
    /// memory of the page; text that is compressed is never in memory as a whole.
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
        let answer = Answer::to(headers.get_all(ACCEPT));
        let encoding = Encoding::negotiate(headers.get_all(ACCEPT_ENCODING));
        let compressed =
            encoding.and_then(|encoding| Some((encoding.name(), self.compressed(answer.format, encoding)?)));
        let (encoding, body) = compressed.map_or_else(
            || {
                let mut plain = Vec::new();
                self.render(answer.format, &mut plain);
                (None, plain)
            },
            |(encoding, body)| (Some(HeaderValue::from_static(encoding)), body),
        );
        Page { content_type: answer.content_type(), content_encoding: encoding, body: body.into() }
    }

    /// `None` if compressing fails, which in memory it does not.
    fn compressed(&self, format: Format, encoding: Encoding) -> Option<Vec<u8>> {
        let mut encoder = Encoder::new(encoding).ok()?;
        let mut written = Ok(());
        let mut piece = Vec::with_capacity(PIECE + PIECE / 4);
        self.stream(format, &mut piece, |piece| {
            if piece.len() >= PIECE && written.is_ok() {
                written = encoder.write(piece);
                piece.clear();
            }
        });
        written.and_then(|()| encoder.write(&piece)).and_then(|()| encoder.finish()).ok()
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
    fn a_large_page_is_the_same_compressed() {
        let store = store();
        metrics::with_local_recorder(&store, || {
            (0..1_000).for_each(|n| metrics::histogram!("wait", "n" => n.to_string()).record(f64::from(n)));
        });
        let accept_encoding = if cfg!(feature = "zstd") { "zstd" } else { "gzip" };
        let page = store.page(&headers(&[(ACCEPT_ENCODING, accept_encoding)]));
        assert_eq!(page.content_encoding.unwrap(), accept_encoding);
        #[cfg(feature = "zstd")]
        let unpacked = zstd::decode_all(&*page.body).unwrap();
        #[cfg(not(feature = "zstd"))]
        let unpacked = {
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(&*page.body).read_to_end(&mut unpacked).unwrap();
            unpacked
        };
        let mut plain = Vec::new();
        store.render(Format::Text004, &mut plain);
        let comparable = |page: &[u8]| {
            let page = String::from_utf8(page.to_vec()).unwrap();
            page.lines().filter(|line| !line.contains("bartizan_")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(plain.len() > 3 * PIECE);
        assert_eq!(comparable(&unpacked), comparable(&plain));
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
