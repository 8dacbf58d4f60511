//! The protobuf format: one `io.prometheus.client.MetricFamily` a family, each after its length.
//!
//! The fields and their numbers are those of Prometheus' `client_model`. Histograms have their classic
//! buckets and, where the store keeps them, native ones beside them; exemplars are on the classic
//! buckets, where every version of Prometheus looks for them.

#[cfg(test)]
mod model;
#[cfg(test)]
pub(super) mod tests;
mod wire;

use self::wire::{delimited, double, message, sint, text, uint};
use crate::store::{
    Cell, Exemplar, HistogramCell, Kind, NativeBuckets, SummaryCell, View, ZERO_THRESHOLD, parse,
};

/// A bucket of zeros costs less than a new span while no more of them than this are in a row.
const GAP: i32 = 2;

/// Writes one family.
pub(super) struct ProtobufWriter<'a> {
    view: &'a View,
    /// Reused from series to series.
    native: NativeBuckets,
    counts: Vec<u64>,
    value: String,
}

impl<'a> ProtobufWriter<'a> {
    pub(super) fn new(view: &'a View) -> Self {
        Self { view, native: NativeBuckets::default(), counts: Vec::new(), value: String::new() }
    }

    pub(super) fn write(mut self, series: &[(impl AsRef<str>, Cell)], out: &mut Vec<u8>) {
        let family = &self.view.family;
        delimited(out, |out| {
            text(out, 1, &family.name);
            if let Some(help) = self.view.help.as_ref().filter(|help| !help.is_empty()) {
                text(out, 2, help);
            }
            let kind = match family.kind {
                Kind::Counter => 0,
                Kind::Gauge => 1,
                Kind::Summary => 2,
                Kind::Histogram => 4,
            };
            uint(out, 3, kind);
            for (labels, cell) in series {
                message(out, 4, |out| self.metric(labels.as_ref(), cell, out));
            }
            if let Some(unit) = family.unit {
                text(out, 5, unit);
            }
        });
    }

    fn metric(&mut self, labels: &str, cell: &Cell, out: &mut Vec<u8>) {
        for (name, value) in parse(labels) {
            message(out, 1, |out| {
                text(out, 1, name);
                text(out, 2, value.unescape(&mut self.value));
            });
        }
        let gauge = |out: &mut Vec<u8>, value| message(out, 2, |out| double(out, 1, value));
        let counter = |out: &mut Vec<u8>, value| message(out, 3, |out| double(out, 1, value));
        match cell {
            Cell::Gauge(cell) => gauge(out, cell.get()),
            Cell::ReadGauge(read) => gauge(out, read()),
            Cell::Counter(cell) => counter(out, cell.get() as f64),
            Cell::ReadCounter(read) => counter(out, read()),
            Cell::Summary(cell) => message(out, 4, |out| write_summary(cell, out)),
            Cell::Histogram(cell) => message(out, 7, |out| self.histogram(cell, out)),
        }
    }

    fn histogram(&mut self, cell: &HistogramCell, out: &mut Vec<u8>) {
        // Native buckets first: each value is counted in its classic bucket before, so these
        // cannot be behind, and what they are ahead is cut off.
        let native = cell.read_native(&mut self.native);
        self.counts.clear();
        self.counts.extend(cell.counts());
        let total = if native { self.native.total() } else { self.counts.iter().sum() };

        uint(out, 1, total);
        double(out, 2, cell.sum());
        let bounds = cell.buckets().bounds().iter().copied().chain([f64::INFINITY]);
        let mut below = 0_u64;
        for (bucket, (bound, count)) in bounds.zip(&self.counts).enumerate() {
            below = below.wrapping_add(*count).min(total);
            message(out, 3, |out| {
                uint(out, 1, below);
                double(out, 2, bound);
                if let Some(exemplar) = cell.exemplar(bucket) {
                    message(out, 3, |out| write_exemplar(&exemplar, out));
                }
            });
        }
        if native {
            sint(out, 5, self.native.schema().into());
            double(out, 6, ZERO_THRESHOLD);
            uint(out, 7, self.native.zero());
            spans(self.native.negative(), 9, 10, out);
            spans(self.native.positive(), 12, 13, out);
            if self.native.is_empty() {
                // A span of nothing, by which a histogram without values is known as native.
                message(out, 12, |out| {
                    sint(out, 1, 0);
                    uint(out, 2, 0);
                });
            }
        }
    }
}

/// Runs of buckets, each with its distance to the one before, and each bucket's difference to the one before.
fn spans(buckets: &[(i32, u64)], span: u32, delta: u32, out: &mut Vec<u8>) {
    let Some(&(first, _)) = buckets.first() else { return };
    let write = |offset: i32, length: i32, out: &mut Vec<u8>| {
        message(out, span, |out| {
            sint(out, 1, offset.into());
            uint(out, 2, u64::try_from(length).unwrap_or_default());
        });
    };
    let (mut offset, mut start, mut end) = (first, first, first);
    for &(index, _) in buckets {
        if index - end > GAP {
            write(offset, end - start, out);
            (offset, start) = (index - end, index);
        }
        end = index + 1;
    }
    write(offset, end - start, out);

    let (mut end, mut last) = (first, 0_u64);
    let mut step = |count: u64, out: &mut Vec<u8>| {
        sint(out, delta, count.wrapping_sub(last).cast_signed());
        last = count;
    };
    for &(index, count) in buckets {
        if index - end <= GAP {
            (end..index).for_each(|_| step(0, out));
        }
        step(count, out);
        end = index + 1;
    }
}

fn write_summary(cell: &SummaryCell, out: &mut Vec<u8>) {
    let view = cell.view();
    uint(out, 1, view.count);
    double(out, 2, view.sum);
    for (quantile, value) in cell.shape().quantiles().iter().zip(&view.quantiles) {
        message(out, 3, |out| {
            double(out, 1, *quantile);
            double(out, 2, *value);
        });
    }
}

fn write_exemplar(exemplar: &Exemplar, out: &mut Vec<u8>) {
    let mut label = |name, value: &str| {
        message(out, 1, |out| {
            text(out, 1, name);
            text(out, 2, value);
        });
    };
    label("trace_id", exemplar.ids.trace_id_hex().as_str());
    label("span_id", exemplar.ids.span_id_hex().as_str());
    double(out, 2, exemplar.value);
    message(out, 3, |out| {
        uint(out, 1, exemplar.at.as_secs());
        uint(out, 2, exemplar.at.subsec_nanos().into());
    });
}
