//! The `traceparent` header: which trace and which span a request belongs to.

use http::HeaderValue;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

use crate::hex;

/// The flag of Trace Context Level 2 that says: the last seven bytes of the trace id are random.
///
/// It belongs to the trace id and travels unchanged as long as the id does.
pub const FLAG_RANDOM: TraceFlags = TraceFlags::new(0x02);

/// The flag bits that have a meaning; all others are sent on as zero.
const KNOWN_FLAGS: TraceFlags = TraceFlags::new(0x03);

/// Length of a version 00 header value.
const LEN: usize = 55;

/// A valid `traceparent`: neither id is zero, and only the known flags are set.
///
/// Neither reading nor writing allocates.
///
/// ```
/// use bartizan_trace::w3c::TraceParent;
///
/// let parent = TraceParent::parse(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
/// assert_eq!(parent.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert_eq!(parent.parent_id().to_string(), "00f067aa0ba902b7");
///
/// // Upper case, zero ids and a wrong length restart the trace.
/// assert!(TraceParent::parse(b"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01").is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace_id: TraceId,
    parent_id: SpanId,
    flags: TraceFlags,
}

impl TraceParent {
    /// Joins the three parts; `None` if an id is zero. Unknown flags are dropped.
    ///
    /// ```
    /// use bartizan_trace::opentelemetry::trace::{SpanId, TraceFlags, TraceId};
    /// use bartizan_trace::w3c::TraceParent;
    ///
    /// assert!(TraceParent::new(TraceId::from(7), SpanId::from(9), TraceFlags::SAMPLED).is_some());
    /// assert!(TraceParent::new(TraceId::INVALID, SpanId::from(9), TraceFlags::SAMPLED).is_none());
    /// ```
    pub fn new(trace_id: TraceId, parent_id: SpanId, flags: TraceFlags) -> Option<Self> {
        (trace_id != TraceId::INVALID && parent_id != SpanId::INVALID).then_some(Self {
            trace_id,
            parent_id,
            flags: flags & KNOWN_FLAGS,
        })
    }

    /// The header that names this span as the parent; `None` if the context is not valid.
    pub fn from_span_context(context: &SpanContext) -> Option<Self> {
        Self::new(context.trace_id(), context.span_id(), context.trace_flags())
    }

    /// Reads a header value without the white space that HTTP allows around it.
    ///
    /// Version 00 must be exactly 55 bytes. A later version is read by its first four fields, as the
    /// specification asks; what follows them must begin with `-`. Version `ff` is not valid.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (head, rest) = value.split_first_chunk::<LEN>()?;
        // All digits at once, without the dashes.
        let mut digits = [b'0'; 64];
        digits[..32].copy_from_slice(&head[3..35]);
        digits[32..48].copy_from_slice(&head[36..52]);
        digits[48..50].copy_from_slice(&head[..2]);
        digits[50..52].copy_from_slice(&head[53..]);
        let bytes: [u8; 32] = hex::lower(&digits)?;
        let (version, flags) = (bytes[24], bytes[25]);
        let complete = match version {
            0x00 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest[0] == b'-',
        };
        if !complete || head[2] != b'-' || head[35] != b'-' || head[52] != b'-' {
            return None;
        }
        let (trace_id, rest) = bytes.split_first_chunk()?;
        let parent_id = rest.first_chunk()?;
        Self::new(TraceId::from_bytes(*trace_id), SpanId::from_bytes(*parent_id), TraceFlags::new(flags))
    }

    /// The trace that the request belongs to; never zero.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The span of the sender; never zero.
    pub fn parent_id(&self) -> SpanId {
        self.parent_id
    }

    /// Sampled (`01`) and random (`02`); no other bit is ever set.
    pub fn flags(&self) -> TraceFlags {
        self.flags
    }

    /// The remote span context that this header and a trace state describe.
    pub fn span_context(&self, state: TraceState) -> SpanContext {
        SpanContext::new(self.trace_id, self.parent_id, self.flags, true, state)
    }

    /// The version 00 header value as ASCII bytes.
    pub fn to_bytes(&self) -> [u8; LEN] {
        let mut out = *b"00-00000000000000000000000000000000-0000000000000000-00";
        hex::write_ids(&mut out[3..], self.trace_id, self.parent_id);
        // Known flags make a single digit.
        out[54] += self.flags.to_u8();
        out
    }

    /// The version 00 header value, one allocation.
    pub fn to_header_value(&self) -> HeaderValue {
        // Hex digits and dashes are always a valid value, so the empty one is never made.
        HeaderValue::from_bytes(&self.to_bytes()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn parse(text: &str) -> Option<TraceParent> {
        TraceParent::parse(text.as_bytes())
    }

    #[test]
    fn a_valid_header_gives_its_three_parts() {
        let parent = parse(VALID).unwrap();
        assert_eq!(parent.trace_id(), TraceId::from(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736));
        assert_eq!(parent.parent_id(), SpanId::from(0x00f0_67aa_0ba9_02b7));
        assert_eq!(parent.flags(), TraceFlags::SAMPLED);
        assert!(parent.span_context(TraceState::NONE).is_remote());
    }

    #[test]
    fn every_single_changed_byte_that_is_no_digit_or_dash_is_refused() {
        for at in 0..VALID.len() {
            let mut bytes = VALID.as_bytes().to_vec();
            bytes[at] = b'G';
            assert_eq!(TraceParent::parse(&bytes), None, "byte {at}");
        }
    }

    #[test]
    fn every_shorter_or_longer_version_00_is_refused() {
        for len in 0..VALID.len() {
            assert_eq!(parse(&VALID[..len]), None, "{len} bytes");
        }
        assert_eq!(parse(&format!("{VALID}-")), None);
        assert_eq!(parse(&format!("{VALID}-00")), None);
    }

    #[test]
    fn upper_case_is_refused() {
        assert_eq!(parse(&VALID.to_uppercase()), None);
    }

    #[test]
    fn a_later_version_is_read_by_its_first_fields() {
        let later = VALID.replacen("00", "01", 1);
        assert_eq!(parse(&later), parse(VALID));
        assert_eq!(parse(&format!("{later}-anything")), parse(VALID));
        assert_eq!(parse(&format!("{later}anything")), None);
        assert_eq!(parse(&VALID.replacen("00", "ff", 1)), None);
    }

    #[test]
    fn zero_ids_are_refused() {
        assert_eq!(parse(&VALID.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32))), None);
        assert_eq!(parse(&VALID.replace("00f067aa0ba902b7", &"0".repeat(16))), None);
    }

    #[test]
    fn unknown_flags_are_dropped_and_known_ones_kept() {
        let all = parse(&VALID.replace("-01", "-ff")).unwrap();
        assert_eq!(all.flags(), TraceFlags::SAMPLED | FLAG_RANDOM);
        assert!(all.to_bytes().ends_with(b"-03"));
    }

    #[test]
    fn the_header_value_is_the_bytes() {
        assert_eq!(parse(VALID).unwrap().to_header_value(), VALID);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = TraceParent::parse(&bytes);
        }

        #[test]
        fn what_is_written_is_read_back(trace in 1u128.., span in 1u64.., flags: u8) {
            let parent =
                TraceParent::new(TraceId::from(trace), SpanId::from(span), TraceFlags::new(flags)).unwrap();
            prop_assert_eq!(TraceParent::parse(&parent.to_bytes()), Some(parent));
        }
    }
}
