use metrics::Unit;
use prost::Message;

use super::model::{BucketSpan, Histogram, LabelPair, MetricFamily, MetricType};
use crate::{Format, Store};

/// Reads the page with another implementation of protobuf; panics at what Prometheus refuses.
pub(crate) fn families(store: &Store) -> Vec<MetricFamily> {
    let mut page = Vec::new();
    store.render(Format::Protobuf, &mut page);
    let mut rest = &page[..];
    let mut families = Vec::new();
    while !rest.is_empty() {
        families.push(MetricFamily::decode_length_delimited(&mut rest).unwrap());
    }
    assert!(families.is_sorted_by(|a, b| a.name < b.name));
    for metric in families.iter().flat_map(|family| &family.metric) {
        metric.histogram.iter().for_each(check);
        assert!(metric.label.is_sorted_by(|a, b| a.name < b.name));
    }
    families
}

pub(crate) fn family(store: &Store, name: &str) -> MetricFamily {
    families(store).into_iter().find(|family| family.name.as_deref() == Some(name)).unwrap()
}

fn histogram(store: &Store, name: &str) -> Histogram {
    family(store, name).metric[0].histogram.clone().unwrap()
}

/// What Prometheus refuses.
fn check(histogram: &Histogram) {
    let count = histogram.sample_count.unwrap();
    let buckets: Vec<_> = histogram.bucket.iter().map(|bucket| bucket.cumulative_count.unwrap()).collect();
    assert!(buckets.is_sorted() && buckets.last() == Some(&count));
    assert!(histogram.bucket.is_sorted_by(|a, b| a.upper_bound < b.upper_bound));
    if histogram.schema.is_some() {
        let native: u64 = sides(histogram).iter().flatten().map(|(_, count)| count).sum();
        assert_eq!(native + histogram.zero_count.unwrap(), count);
    }
}

fn sides(histogram: &Histogram) -> [Vec<(i32, u64)>; 2] {
    [
        Histogram::native(&histogram.negative_span, &histogram.negative_delta),
        Histogram::native(&histogram.positive_span, &histogram.positive_delta),
    ]
}

fn label(name: &str, value: &str) -> LabelPair {
    LabelPair { name: Some(name.into()), value: Some(value.into()) }
}

#[test]
fn counters_and_gauges_have_name_help_unit_and_labels() {
    let store = Store::new();
    metrics::with_local_recorder(&store, || {
        metrics::describe_counter!("read_bytes_total", Unit::Bytes, "Bytes \"read\".\nAll of them.");
        metrics::counter!("read_bytes_total", "file" => "a\"\\\nn", "b" => "2").increment(7);
        metrics::gauge!("depth").set(-1.5);
    });
    let counter = family(&store, "read_bytes_total");
    assert_eq!(counter.help.as_deref(), Some("Bytes \"read\".\nAll of them."));
    assert_eq!(counter.r#type(), MetricType::Counter);
    assert_eq!(counter.unit.as_deref(), Some("bytes"));
    assert_eq!(counter.metric[0].label, [label("b", "2"), label("file", "a\"\\\nn")]);
    assert_eq!(counter.metric[0].counter.clone().unwrap().value, Some(7.0));
    let gauge = family(&store, "depth");
    assert_eq!((gauge.r#type(), gauge.help, gauge.unit), (MetricType::Gauge, None, None));
    assert_eq!(gauge.metric[0].gauge.clone().unwrap().value, Some(-1.5));
}

#[test]
fn a_histogram_has_classic_and_native_buckets() {
    let store = Store::builder().default_buckets(&[1.0, 10.0]).build().unwrap();
    let cell = store.histogram("wait_seconds", &[("queue", "a")]);
    // The buckets 0, 1, 4 (after a gap of two), 27 (after a wide one), and -8 and below zero 8.
    for value in [1.0, 1.05, 1.4, 10.0, 10.1, 0.5, 0.5, 0.0, -2.0] {
        cell.record(value);
    }
    let histogram = histogram(&store, "wait_seconds");
    assert_eq!(histogram.sample_count, Some(9));
    assert!((histogram.sample_sum.unwrap() - 22.55).abs() < 1e-9);
    let classic: Vec<_> =
        histogram.bucket.iter().map(|b| (b.upper_bound.unwrap(), b.cumulative_count.unwrap())).collect();
    assert_eq!(classic, [(1.0, 5), (10.0, 8), (f64::INFINITY, 9)]);
    assert_eq!((histogram.schema, histogram.zero_count), (Some(3), Some(1)));
    assert_eq!(histogram.zero_threshold, Some(2_f64.powi(-128)));
    let [negative, positive] = sides(&histogram);
    assert_eq!(negative, [(8, 1)]);
    assert_eq!(positive, [(-8, 2), (0, 1), (1, 1), (2, 0), (3, 0), (4, 1), (27, 2)]);
    let span = |offset, length| BucketSpan { offset: Some(offset), length: Some(length) };
    assert_eq!(histogram.positive_span, [span(-8, 1), span(7, 5), span(22, 1)]);
}

#[test]
fn a_histogram_without_values_is_native_all_the_same() {
    let store = Store::new();
    store.histogram("wait_seconds", &[("queue", "a")]);
    let histogram = histogram(&store, "wait_seconds");
    assert_eq!((histogram.sample_count, histogram.schema), (Some(0), Some(3)));
    assert_eq!(histogram.positive_span, [BucketSpan { offset: Some(0), length: Some(0) }]);
    assert_eq!(histogram.bucket.len(), 15);
}

#[test]
fn without_native_histograms_the_classic_ones_are_left() {
    let store = Store::builder().max_native_histograms(0).build().unwrap();
    store.histogram("wait_seconds", &[("queue", "a")]).record(0.3);
    let histogram = histogram(&store, "wait_seconds");
    assert_eq!((histogram.sample_count, histogram.schema, histogram.zero_threshold), (Some(1), None, None));
    assert!(histogram.positive_span.is_empty() && histogram.positive_delta.is_empty());
}

#[test]
fn a_summary_has_its_quantiles() {
    let store = Store::new();
    let wait = crate::Metrics::new(&store).summary("wait_seconds").quantiles(&[0.5, 1.0]).register().unwrap();
    for value in [1.0, 1.0, 4.0] {
        wait.record(value);
    }
    let family = family(&store, "wait_seconds");
    assert_eq!(family.r#type(), MetricType::Summary);
    let summary = family.metric[0].summary.clone().unwrap();
    assert_eq!((summary.sample_count, summary.sample_sum), (Some(3), Some(6.0)));
    let quantiles: Vec<_> = summary.quantile.iter().map(|quantile| quantile.quantile.unwrap()).collect();
    assert_eq!(quantiles, [0.5, 1.0]);
    assert!((summary.quantile[1].value.unwrap() - 4.0).abs() < 0.05);
}

#[test]
fn exemplars_are_on_the_classic_buckets() {
    let store = Store::builder().default_buckets(&[1.0]).build().unwrap();
    store.histogram("wait_seconds", &[("queue", "a")]).record_with_exemplar(1.5, [0x1f; 16], [0xe0; 8]);
    let histogram = histogram(&store, "wait_seconds");
    assert!(histogram.bucket[0].exemplar.is_none());
    let exemplar = histogram.bucket[1].exemplar.clone().unwrap();
    assert_eq!(exemplar.label, [label("trace_id", &"1f".repeat(16)), label("span_id", &"e0".repeat(8))]);
    assert_eq!(exemplar.value, Some(1.5));
    let at = exemplar.timestamp.unwrap();
    assert!(at.seconds > Some(1_600_000_000) && (0..1_000_000_000).contains(&at.nanos.unwrap()));
}

#[test]
fn a_page_is_consistent_while_others_write() {
    let store = Store::new();
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let cell = store.histogram("busy_seconds", &[("half", (thread % 2).to_string())]);
            scope.spawn(move || {
                (0..20_000).for_each(|n| cell.record(1.01_f64.powi((n * 31 + thread) % 1_000)));
            });
        }
        for _ in 0..50 {
            families(&store);
        }
    });
    let counts = family(&store, "busy_seconds").metric.into_iter().map(|m| m.histogram.unwrap());
    assert_eq!(counts.map(|histogram| histogram.sample_count.unwrap()).sum::<u64>(), 60_000);
}
