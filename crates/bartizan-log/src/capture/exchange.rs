//! A captured exchange, masked, as it is handed out.

use std::time::{Duration, SystemTime};

use bartizan_core::{Ending, Record};
use bartizan_mask::Masker;
use http::HeaderMap;

use super::{curl, har};
use crate::request::push_header_value;

/// Most headers of a message; those behind them are left out.
const MAX_HEADERS: usize = 64;

/// An exchange with its headers and bodies, all of it masked: what a [`Capture::sink`](super::Capture::sink) is given.
///
/// ```
/// use bartizan_log::{Capture, CapturedExchange};
/// use std::sync::{Arc, Mutex};
///
/// let last: Arc<Mutex<Option<CapturedExchange>>> = Arc::default();
/// let kept = last.clone();
/// let capture = Capture::new().sink(move |exchange| *kept.lock().unwrap() = Some(exchange));
/// # let _ = capture;
///
/// // Later, on a page for support:
/// if let Some(exchange) = &*last.lock().unwrap() {
///     println!("{}", exchange.to_curl());
///     println!("{}", CapturedExchange::to_har(std::slice::from_ref(exchange)));
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CapturedExchange {
    /// When the request came in, by the system's clock.
    pub started: SystemTime,
    /// How it ended. Its byte counts are the true lengths of the bodies.
    pub ending: Ending,
    /// The method, `_OTHER` for one that is not known.
    pub method: &'static str,
    /// The whole URL, with path parameters and query masked. The host is the one that the client named, `invalid` if that cannot be one.
    pub url: String,
    /// The matched template, or `unmatched`.
    pub route: String,
    /// As in a request line: `HTTP/1.1`.
    pub http_version: &'static str,
    /// The correlation id.
    pub correlation_id: Option<String>,
    /// The request's headers, masked, 64 at most.
    pub request_headers: Vec<(String, String)>,
    /// The response's headers, masked, 64 at most. Empty where there was no response.
    pub response_headers: Vec<(String, String)>,
    /// The request's body; `None` where it is not captured, empty, or cannot be seen.
    pub request_body: Option<CapturedBody>,
    /// The response's body.
    pub response_body: Option<CapturedBody>,
}

/// A body, masked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CapturedBody {
    /// Its media type without parameters, if it has one.
    pub media_type: Option<String>,
    /// The masked text, or a placeholder. JSON is valid also where the body was cut.
    pub text: String,
    /// Whether the text only stands for the body: its type is not captured, or it could not be read.
    pub placeholder: bool,
    /// Whether this is only the beginning of the body.
    pub truncated: bool,
    /// Its true length, as far as it was read or sent.
    pub bytes: u64,
}

impl CapturedExchange {
    /// The request as a `curl` command for a POSIX shell: every argument in single quotes, control characters other than line feed and
    /// tab replaced. Headers that belong to the connection or to the length of the body are left out, and so is a body that is only a
    /// placeholder. What was masked has to be filled in before the command does the same again.
    ///
    /// ```
    /// # fn show(exchange: &bartizan_log::CapturedExchange) {
    /// // curl --globoff -X 'POST' -H 'authorization: [REDACTED]' --data-raw '{"pin":"[REDACTED]"}' 'https://shop.example/orders'
    /// println!("{}", exchange.to_curl());
    /// # }
    /// ```
    pub fn to_curl(&self) -> String {
        curl::command(self)
    }

    /// Exchanges as an HTTP Archive, HAR 1.2: one JSON document, as browsers import it.
    ///
    /// ```
    /// use bartizan_log::CapturedExchange;
    ///
    /// let empty = CapturedExchange::to_har(&[]);
    /// assert!(empty.starts_with(r#"{"log":{"version":"1.2","creator":{"name":"bartizan","#));
    /// ```
    pub fn to_har(exchanges: &[Self]) -> String {
        har::document(exchanges)
    }

    /// When the first byte of the response was sent; the whole duration where there was none.
    pub(super) fn waited(&self) -> Duration {
        self.ending.first_byte.unwrap_or(self.ending.duration)
    }
}

/// The URL of a request: what the client named, as far as it can be a host, and the masked rest.
pub(super) fn url(record: &Record, authority: Option<&str>, path: &str, query: Option<&str>) -> String {
    let scheme = if record.is_https() { "https://" } else { "http://" };
    let host = authority.filter(|host| is_host(host)).unwrap_or("invalid");
    let question = if query.is_some() { "?" } else { "" };
    [scheme, host, path, question, query.unwrap_or_default()].concat()
}

/// A name or an address with a port. Not what has user info.
fn is_host(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".:-_[]".contains(&byte);
    (1..=255).contains(&host.len()) && host.bytes().all(allowed)
}

pub(super) fn masked_headers(headers: &HeaderMap, masker: &Masker) -> Vec<(String, String)> {
    let all = headers.iter().take(MAX_HEADERS);
    all.map(|(name, value)| {
        let mut shown = String::new();
        push_header_value(&mut shown, name.as_str(), value, masker);
        (name.as_str().to_owned(), shown)
    })
    .collect()
}
