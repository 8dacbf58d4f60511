//! The page: every family of a store, written in one of two formats.

mod negotiation;
pub(crate) mod number;
mod page;
#[cfg(test)]
pub(crate) mod strict;
mod summary;
#[cfg(test)]
mod tests;

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

pub use self::negotiation::Format;
pub use self::page::Page;

use self::number::{push_f64, push_u64};
use crate::store::{Cell, Exemplar, HistogramCell, Kind, Store, View, counter_base, escape};

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
        let started = Instant::now();
        self.collect();
        let before = out.len();
        // A little more than last time, so that the buffer does not double at the very end.
        let last = self.page_len().load(Relaxed);
        out.reserve(last + last / 16 + 1024);

        let views = self.registry().views();
        let own = &self.registry().own;
        own.set_series(views.iter().map(|view| view.family.len()).sum());
        for view in &views {
            write_family(view, format, out);
        }
        if format == Format::OpenMetrics1 {
            out.extend_from_slice(b"# EOF\n");
        }
        self.page_len().store(out.len() - before, Relaxed);
        own.set_duration(started.elapsed().as_secs_f64());
    }
}

fn write_family(view: &View, format: Format, out: &mut Vec<u8>) {
    let series = view.family.snapshot();
    if series.is_empty() {
        return;
    }
    write_head(view, format, out);
    let name = view.family.name.as_bytes();
    let mut histogram = HistogramWriter::new(view, format);
    for (labels, cell) in &series {
        match cell {
            Cell::Histogram(cell) => histogram.write(labels, cell, out),
            Cell::Summary(cell) => summary::write(name, labels, cell, out),
            Cell::Counter(cell) => sample(name, labels, out, |out| push_u64(out, cell.get())),
            Cell::Gauge(cell) => sample(name, labels, out, |out| push_f64(out, cell.get())),
            Cell::ReadCounter(read) => sample(name, labels, out, |out| push_f64(out, read())),
            Cell::ReadGauge(read) => sample(name, labels, out, |out| push_f64(out, read())),
        }
    }
}

fn write_head(view: &View, format: Format, out: &mut Vec<u8>) {
    let open_metrics = format == Format::OpenMetrics1;
    let (family, kind) = (&view.family, view.family.kind);
    let (name, kind) = match kind {
        Kind::Gauge => (family.name.as_str(), "gauge"),
        Kind::Histogram => (family.name.as_str(), "histogram"),
        Kind::Summary => (family.name.as_str(), "summary"),
        Kind::Counter if !open_metrics => (family.name.as_str(), "counter"),
        // An OpenMetrics counter gives up `_total` in the name of its family. One that cannot is of
        // unknown type, so that its series has the same name in both formats.
        Kind::Counter if view.base_is_free => (counter_base(&family.name, kind), "counter"),
        Kind::Counter => (family.name.as_str(), "unknown"),
    };
    if let Some(help) = view.help.as_ref().filter(|help| !help.is_empty()) {
        let mut escaped = String::with_capacity(help.len());
        escape(help, open_metrics, &mut escaped);
        comment("HELP", name, &escaped, out);
    }
    comment("TYPE", name, kind, out);
    if open_metrics && let Some(unit) = family.unit.filter(|unit| name.ends_with(unit)) {
        comment("UNIT", name, unit, out);
    }
}

fn comment(word: &str, name: &str, text: &str, out: &mut Vec<u8>) {
    for part in ["# ", word, " ", name, " ", text, "\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// `name{labels} value`
fn sample(name: &[u8], labels: &str, out: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(name);
    if labels.is_empty() {
        out.push(b' ');
    } else {
        out.push(b'{');
        out.extend_from_slice(labels.as_bytes());
        out.extend_from_slice(b"} ");
    }
    value(out);
    out.push(b'\n');
}

/// Writes the histograms of one family.
struct HistogramWriter {
    format: Format,
    sum: Vec<u8>,
    count: Vec<u8>,
    /// `name_bucket{labels,`: what the bucket lines of a series have in common.
    line: Vec<u8>,
    /// How much of `line` all series have in common.
    shared: usize,
}

impl HistogramWriter {
    fn new(view: &View, format: Format) -> Self {
        let name = |suffix: &str| [view.family.name.as_bytes(), suffix.as_bytes()].concat();
        let line = name("_bucket{");
        Self { format, sum: name("_sum"), count: name("_count"), shared: line.len(), line }
    }

    fn write(&mut self, labels: &str, cell: &HistogramCell, out: &mut Vec<u8>) {
        self.line.truncate(self.shared);
        if !labels.is_empty() {
            self.line.extend_from_slice(labels.as_bytes());
            self.line.push(b',');
        }
        let open_metrics = self.format == Format::OpenMetrics1;
        let mut total = 0_u64;
        for (bucket, (le, count)) in cell.buckets().labels(self.format).iter().zip(cell.counts()).enumerate()
        {
            total = total.wrapping_add(count);
            out.extend_from_slice(&self.line);
            out.extend_from_slice(le.as_bytes());
            push_u64(out, total);
            if open_metrics && let Some(exemplar) = cell.exemplar(bucket) {
                write_exemplar(&exemplar, out);
            }
            out.push(b'\n');
        }
        // With negative bounds a sum can fall, and OpenMetrics wants none then.
        let falls = cell.buckets().bounds().first().is_some_and(|&bound| bound < 0.0);
        if !(open_metrics && falls) {
            sample(&self.sum, labels, out, |out| push_f64(out, cell.sum()));
            sample(&self.count, labels, out, |out| push_u64(out, total));
        }
    }
}

/// ` # {trace_id="...",span_id="..."} value timestamp`
fn write_exemplar(exemplar: &Exemplar, out: &mut Vec<u8>) {
    out.extend_from_slice(b" # {trace_id=\"");
    write_hex(&exemplar.trace_id, out);
    out.extend_from_slice(b"\",span_id=\"");
    write_hex(&exemplar.span_id, out);
    out.extend_from_slice(b"\"} ");
    push_f64(out, exemplar.value);
    out.push(b' ');
    push_f64(out, exemplar.at.as_millis() as f64 / 1000.0);
}

fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    out.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}
