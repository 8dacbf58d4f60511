//! The page: every family of a store, written in one of three formats.

mod accept;
mod encoding;
mod negotiation;
pub(crate) mod number;
mod page;
mod protobuf;
#[cfg(test)]
pub(crate) mod strict;
#[cfg(test)]
mod tests;
mod text;

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

pub use self::negotiation::Format;
pub use self::page::Page;

use self::protobuf::ProtobufWriter;
use self::text::TextWriter;
use crate::store::Store;

/// How much room a page's buffer has at least before the next series is written.
const ROOM: usize = 8 * 1024;

impl Store {
    /// Writes all metrics at the end of `out`.
    ///
    /// Families are sorted by name and series by their labels, so two pages of the same state are
    /// equal but for the store's own gauges. Recording never waits for a page; a new series waits at
    /// most while the list of its metric's series is copied. Within a page the buckets of a
    /// histogram are cumulative and `_count` equals `+Inf`, whatever is recorded meanwhile; `_sum`
    /// may be ahead of them by what came in between.
    ///
    /// ```
    /// use bartizan_metrics::{Format, Store};
    ///
    /// let store = Store::new();
    /// metrics::with_local_recorder(&store, || metrics::gauge!("queue_depth").set(7.0));
    /// let mut page = Vec::new();
    /// store.render(Format::OpenMetrics1, &mut page);
    /// assert!(page.ends_with(b"# TYPE queue_depth gauge\nqueue_depth 7\n# EOF\n"));
    /// ```
    pub fn render(&self, format: Format, out: &mut Vec<u8>) {
        let before = out.len();
        // A little more than last time, so that the buffer does not grow at the very end.
        let last = self.page_len(format).load(Relaxed);
        out.reserve(last + last / 16 + ROOM);
        self.stream(format, out, |out| {
            // By a quarter and not to the double: a large page shall not take thrice its size while it grows.
            if out.capacity() - out.len() < ROOM {
                out.reserve_exact(out.len() / 4 + ROOM);
            }
        });
        self.page_len(format).store(out.len() - before, Relaxed);
    }

    /// Writes all metrics piece by piece: `passed` may take away what has been written so far.
    pub(crate) fn stream(&self, format: Format, out: &mut Vec<u8>, mut passed: impl FnMut(&mut Vec<u8>)) {
        let started = Instant::now();
        self.collect();
        let views = self.registry().views();
        let own = &self.registry().own;
        own.set_series(views.iter().map(|view| view.family.len()).sum());
        for view in &views {
            let series = view.family.snapshot();
            if series.is_empty() {
                continue;
            }
            match format {
                Format::Text004 => TextWriter::new(view, false).write(&series, out, &mut passed),
                Format::OpenMetrics1 => TextWriter::new(view, true).write(&series, out, &mut passed),
                Format::Protobuf => ProtobufWriter::new(view).write(&series, out),
            }
            passed(out);
        }
        if format == Format::OpenMetrics1 {
            out.extend_from_slice(b"# EOF\n");
        }
        if format != Format::Text004 {
            self.registry().shared.next_round();
        }
        own.set_duration(started.elapsed().as_secs_f64());
    }
}
