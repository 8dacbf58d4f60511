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

    /// The id of a UUID, in lower case. It costs no allocation as a rule: short texts share a buffer.
    ///
    /// ```
    /// let uuid = 0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8_u128.to_be_bytes();
    /// let id = bartizan_core::CorrelationId::of_uuid(uuid);
    /// assert_eq!(id.as_str(), "67e55044-10b1-426f-9247-bb680e5fe0c8");
    /// ```
    pub fn of_uuid(uuid: [u8; 16]) -> Self {
        let Hex(digits) = Hex::<32>::of(&uuid);
        let mut text = [b'-'; 36];
        for (at, part) in [(0, 0..8), (9, 8..12), (14, 12..16), (19, 16..20), (24, 20..32)] {
            text[at..at + part.len()].copy_from_slice(&digits[part]);
        }
        // Digits and hyphens are always a valid value, so the empty one is never made.
        Self(short_header_value(text).unwrap_or_else(|| HeaderValue::from_static("")))
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
    #[inline]
    pub fn trace_id_hex(&self) -> Hex<32> {
        Hex::of(&self.trace_id)
    }

    /// The span id in lower-case hex.
    #[inline]
    pub fn span_id_hex(&self) -> Hex<16> {
        Hex::of(&self.span_id)
    }
}

/// `N` lower-case hex digits, without an allocation.
#[derive(Clone, Copy)]
pub struct Hex<const N: usize>([u8; N]);

impl<const N: usize> Hex<N> {
    /// Both digits of a byte at once, and without branches, so that the compiler makes vector instructions of it; merged with code that
    /// takes the digits apart, it would not.
    #[inline(never)]
    fn of<const M: usize>(bytes: &[u8; M]) -> Self {
        let mut digits = [0; N];
        for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(bytes) {
            let byte = u16::from(*byte);
            let values = (byte >> 4 | byte << 8) & 0x0f0f;
            let past_nine = (values + 0x0606) >> 4 & 0x0101;
            *pair = (values + 0x3030 + past_nine * u16::from(b'a' - b':')).to_le_bytes();
        }
        Self(digits)
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
