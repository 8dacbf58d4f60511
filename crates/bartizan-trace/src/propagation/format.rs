//! The formats and ordered sets of them.

use std::fmt;

/// A way to write trace context into headers.
///
/// | format | headers | written |
/// |---|---|---|
/// | `W3c` | `traceparent`, `tracestate` | the default |
/// | `B3Single` | `b3` | `{trace}-{span}-{0, 1 or d}` |
/// | `B3Multi` | `x-b3-traceid`, `x-b3-spanid`, `x-b3-sampled`, `x-b3-flags` | one header a part |
/// | `Jaeger` | `uber-trace-id`, `uberctx-*` | `{trace}:{span}:0:{flags}`, and one header a member of the baggage |
///
/// Both forms of B3 read either form, the single header first; they differ in what they write.
///
/// ```
/// use bartizan_trace::{Format, Propagation};
///
/// let mesh = Propagation::of([Format::B3Multi, Format::W3c]);
/// assert_ne!(mesh, Propagation::of([Format::W3c, Format::B3Multi]), "the order counts");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// W3C Trace Context, Level 2.
    W3c,
    /// B3 of Zipkin in one header.
    B3Single,
    /// B3 of Zipkin in several headers, as the older of its clients and service meshes send it.
    B3Multi,
    /// The format of the Jaeger clients, which OpenTelemetry has deprecated.
    Jaeger,
}

impl Format {
    /// The format that stands for this one when headers are read: B3 is read in both forms at once.
    pub(super) const fn as_read(self) -> Self {
        match self {
            Self::B3Multi => Self::B3Single,
            other => other,
        }
    }
}

/// Formats in order, each once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Formats([Option<Format>; 4]);

impl Formats {
    pub(super) const NONE: Self = Self([None; 4]);

    /// With one more at the end, unless it is there already.
    pub(super) const fn with(mut self, format: Format) -> Self {
        let mut at = 0;
        while at < self.0.len() {
            match self.0[at] {
                Some(known) if known as u8 == format as u8 => break,
                Some(_) => at += 1,
                None => {
                    self.0[at] = Some(format);
                    break;
                }
            }
        }
        self
    }

    pub(super) const fn without(self, format: Format) -> Self {
        let mut rest = Self::NONE;
        let mut at = 0;
        while at < self.0.len() {
            if let Some(known) = self.0[at]
                && known as u8 != format as u8
            {
                rest = rest.with(known);
            }
            at += 1;
        }
        rest
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Format> {
        self.0.iter().map_while(|format| *format)
    }

    pub(super) fn contains(self, format: Format) -> bool {
        self.0.contains(&Some(format))
    }
}

impl fmt::Debug for Formats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Format::{B3Multi, B3Single, Jaeger, W3c};
    use super::*;

    #[test]
    fn formats_keep_their_order_and_come_once() {
        let all = [Jaeger, W3c, Jaeger, B3Multi, B3Single, W3c];
        let formats = all.into_iter().fold(Formats::NONE, Formats::with);
        assert_eq!(format!("{formats:?}"), "[Jaeger, W3c, B3Multi, B3Single]");
        assert_eq!(format!("{:?}", formats.without(W3c)), "[Jaeger, B3Multi, B3Single]");
        assert_eq!(Formats::NONE.without(W3c), Formats::NONE);
    }
}
