//! The two text formats, which differ in little.

use super::number::{push_f64, push_u64};
use crate::store::{Cell, Exemplar, HistogramCell, Kind, SummaryCell, View, counter_base, escape};

/// Writes one family as text 0.0.4 or as OpenMetrics.
pub(super) struct TextWriter<'a> {
    view: &'a View,
    open_metrics: bool,
}

impl<'a> TextWriter<'a> {
    pub(super) fn new(view: &'a View, open_metrics: bool) -> Self {
        Self { view, open_metrics }
    }

    /// Writes the family; `passed` is called after each series.
    pub(super) fn write(
        &self,
        series: &[(impl AsRef<str>, Cell)],
        out: &mut Vec<u8>,
        passed: &mut impl FnMut(&mut Vec<u8>),
    ) {
        self.head(out);
        let name = self.view.family.name.as_bytes();
        let mut histogram = HistogramWriter::new(self.view, self.open_metrics);
        for (labels, cell) in series {
            let labels = labels.as_ref();
            match cell {
                Cell::Histogram(cell) => histogram.write(labels, cell, out),
                Cell::Summary(cell) => summary(name, labels, cell, out),
                Cell::Counter(cell) => sample(name, labels, out, |out| push_u64(out, cell.get())),
                Cell::Gauge(cell) => sample(name, labels, out, |out| push_f64(out, cell.get())),
                Cell::ReadCounter(read) => sample(name, labels, out, |out| push_f64(out, read())),
                Cell::ReadGauge(read) => sample(name, labels, out, |out| push_f64(out, read())),
            }
            passed(out);
        }
    }

    fn head(&self, out: &mut Vec<u8>) {
        let Self { view, open_metrics } = *self;
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

/// Quantiles, sum and count, in the same words in both formats.
fn summary(name: &[u8], labels: &str, cell: &SummaryCell, out: &mut Vec<u8>) {
    let view = cell.view();
    for (quantile, value) in cell.shape().labels().iter().zip(&view.quantiles) {
        let labels = if labels.is_empty() { quantile.to_string() } else { format!("{labels},{quantile}") };
        sample(name, &labels, out, |out| push_f64(out, *value));
    }
    let own = |suffix: &[u8]| [name, suffix].concat();
    sample(&own(b"_sum"), labels, out, |out| push_f64(out, view.sum));
    sample(&own(b"_count"), labels, out, |out| push_u64(out, view.count));
}

/// Writes the histograms of one family.
struct HistogramWriter {
    open_metrics: bool,
    sum: Vec<u8>,
    count: Vec<u8>,
    /// `name_bucket{labels,`: what the bucket lines of a series have in common.
    line: Vec<u8>,
    /// How much of `line` all series have in common.
    shared: usize,
}

impl HistogramWriter {
    fn new(view: &View, open_metrics: bool) -> Self {
        let name = |suffix: &str| [view.family.name.as_bytes(), suffix.as_bytes()].concat();
        let line = name("_bucket{");
        Self { open_metrics, sum: name("_sum"), count: name("_count"), shared: line.len(), line }
    }

    fn write(&mut self, labels: &str, cell: &HistogramCell, out: &mut Vec<u8>) {
        self.line.truncate(self.shared);
        if !labels.is_empty() {
            self.line.extend_from_slice(labels.as_bytes());
            self.line.push(b',');
        }
        let mut total = 0_u64;
        let bounds = cell.buckets().labels(self.open_metrics);
        for (bucket, (le, count)) in bounds.iter().zip(cell.counts()).enumerate() {
            total = total.wrapping_add(count);
            out.extend_from_slice(&self.line);
            out.extend_from_slice(le.as_bytes());
            push_u64(out, total);
            if self.open_metrics
                && let Some(exemplar) = cell.exemplar(bucket)
            {
                write_exemplar(&exemplar, out);
            }
            out.push(b'\n');
        }
        // With negative bounds a sum can fall, and OpenMetrics wants none then.
        let falls = cell.buckets().bounds().first().is_some_and(|&bound| bound < 0.0);
        if !(self.open_metrics && falls) {
            sample(&self.sum, labels, out, |out| push_f64(out, cell.sum()));
            sample(&self.count, labels, out, |out| push_u64(out, total));
        }
    }
}

/// ` # {trace_id="...",span_id="..."} value timestamp`
fn write_exemplar(exemplar: &Exemplar, out: &mut Vec<u8>) {
    out.extend_from_slice(b" # {trace_id=\"");
    out.extend_from_slice(exemplar.ids.trace_id_hex().as_str().as_bytes());
    out.extend_from_slice(b"\",span_id=\"");
    out.extend_from_slice(exemplar.ids.span_id_hex().as_str().as_bytes());
    out.extend_from_slice(b"\"} ");
    push_f64(out, exemplar.value);
    out.push(b' ');
    push_f64(out, exemplar.at.as_millis() as f64 / 1000.0);
}
