//! The ids that a request is found by: its correlation id, and those of its trace.

use std::fmt;

use http::HeaderValue;

use crate::short::short_header_value;

/// One for each byte that a correlation id may not have.
static REFUSED: [u8; 256] = {
    let mut refused = [1; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        let allowed = byte.is_ascii_alphanumeric()
            || matches!(byte, b'.' | b'_' | b':' | b'/' | b'+' | b'=' | b'@' | b'-');
        refused[byte as usize] = !allowed as u8;
        byte += 1;
    }
    refused
};

/// The two digits of each byte.
static PAIRS: [[u8; 2]; 256] = {
    let digits = *b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < pairs.len() {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
};

/// A correlation id that has been checked or made, ready to be sent on. Cloning it allocates nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CorrelationId(HeaderValue);

impl CorrelationId {
    /// Longest id, in bytes.
    pub const MAX_LEN: usize = 128;

    /// Checks an id: 1 to 128 bytes of `[A-Za-z0-9._:/+=@-]`. `None` for anything else.
    ///
    /// ```
    /// use bartizan_core::CorrelationId;
    /// use http::HeaderValue;
    ///
    /// assert!(CorrelationId::new(HeaderValue::from_static("order-17")).is_some());
    /// assert!(CorrelationId::new(HeaderValue::from_static("<script>")).is_none());
    /// ```
    pub fn new(value: HeaderValue) -> Option<Self> {
        let bytes = value.as_bytes();
        let refused = |bytes: &[u8]| bytes.iter().fold(0, |any, byte| any | REFUSED[usize::from(*byte)]);
        let fits = (1..=Self::MAX_LEN).contains(&bytes.len()) && refused(bytes) == 0;
        fits.then_some(Self(value))
    }

    /// Checks an id as [`new`](Self::new) does and keeps a copy, which costs no allocation as a rule: short texts share a buffer.
    ///
    /// ```
    /// assert_eq!(bartizan_core::CorrelationId::copied("order-17").unwrap().as_str(), "order-17");
    /// ```
    pub fn copied(id: &str) -> Option<Self> {
        Self::new(short_header_value(id)?)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.0.as_bytes()).unwrap_or_default()
    }

    /// The id as ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The id as a header value.
    pub fn header_value(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Debug for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CorrelationId").field(&self.as_str()).finish()
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The ids of the trace that a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceIds {
    /// The trace, as on the wire.
    pub trace_id: [u8; 16],
    /// The span of this exchange.
    pub span_id: [u8; 8],
    /// Whether the trace is recorded.
    pub sampled: bool,
}

impl TraceIds {
    /// The trace id in lower-case hex.
    pub fn trace_id_hex(&self) -> Hex<32> {
        Hex::of(&self.trace_id)
    }

    /// The span id in lower-case hex.
    pub fn span_id_hex(&self) -> Hex<16> {
        Hex::of(&self.span_id)
    }
}

/// `N` lower-case hex digits, without an allocation.
#[derive(Clone, Copy)]
pub struct Hex<const N: usize>([u8; N]);

impl<const N: usize> Hex<N> {
    fn of(bytes: &[u8]) -> Self {
        let mut out = [b'0'; N];
        for (pair, byte) in out.as_chunks_mut().0.iter_mut().zip(bytes) {
            *pair = PAIRS[usize::from(*byte)];
        }
        Self(out)
    }

    /// The digits as ASCII.
    pub fn as_bytes(&self) -> &[u8; N] {
        &self.0
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
