use metrics::{Label, SharedString, Unit};
use proptest::prelude::*;

use super::strict::{Family, read};
use super::*;

fn render(store: &Store, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    store.render(format, &mut out);
    out
}

/// The page without what the store tells about itself.
fn page(store: &Store, format: Format) -> String {
    let text = String::from_utf8(render(store, format)).unwrap();
    text.split_inclusive('\n').filter(|line| !line.contains("bartizan_")).collect()
}

fn family<'a>(families: &'a [Family], name: &str) -> &'a Family {
    families.iter().find(|family| family.name == name).unwrap_or_else(|| panic!("{name} in {families:?}"))
}

fn example() -> Store {
    let store = Store::builder().buckets_for("job.duration", &[0.5, 1.0]).build().unwrap();
    metrics::with_local_recorder(&store, || {
        metrics::describe_counter!("orders_total", "Orders \"placed\" in C:\\shop\nor by mail.");
        metrics::counter!("orders_total", "shop" => "south").increment(1);
        metrics::counter!("orders_total", "shop" => "north").increment(2);
        metrics::describe_histogram!("job.duration", Unit::Seconds, "Time a job takes.");
        let histogram = metrics::histogram!("job.duration", "job" => "a");
        for value in [0.25, 1.0, 3.0] {
            histogram.record(value);
        }
        metrics::gauge!("depth").set(-1.5);
    });
    store
}

#[test]
fn the_text_page_is_sorted_and_complete() {
    assert_eq!(
        page(&example(), Format::Text004),
        r#"# TYPE depth gauge
depth -1.5
# HELP job_duration_seconds Time a job takes.
# TYPE job_duration_seconds histogram
job_duration_seconds_bucket{job="a",le="0.5"} 1
job_duration_seconds_bucket{job="a",le="1"} 2
job_duration_seconds_bucket{job="a",le="+Inf"} 3
job_duration_seconds_sum{job="a"} 4.25
job_duration_seconds_count{job="a"} 3
# HELP orders_total Orders "placed" in C:\\shop\nor by mail.
# TYPE orders_total counter
orders_total{shop="north"} 2
orders_total{shop="south"} 1
"#
    );
}

#[test]
fn the_openmetrics_page_has_units_and_an_end() {
    assert_eq!(
        page(&example(), Format::OpenMetrics1),
        r#"# TYPE depth gauge
depth -1.5
# HELP job_duration_seconds Time a job takes.
# TYPE job_duration_seconds histogram
# UNIT job_duration_seconds seconds
job_duration_seconds_bucket{job="a",le="0.5"} 1
job_duration_seconds_bucket{job="a",le="1.0"} 2
job_duration_seconds_bucket{job="a",le="+Inf"} 3
job_duration_seconds_sum{job="a"} 4.25
job_duration_seconds_count{job="a"} 3
# HELP orders Orders \"placed\" in C:\\shop\nor by mail.
# TYPE orders counter
orders_total{shop="north"} 2
orders_total{shop="south"} 1
# EOF
"#
    );
}

#[test]
fn a_counter_keeps_its_series_name_in_both_formats() {
    let store = Store::new();
    metrics::with_local_recorder(&store, || {
        metrics::counter!("plain").increment(1);
        // OpenMetrics would call both families `orders`.
        metrics::counter!("orders_total").increment(2);
        metrics::gauge!("orders").set(3.0);
    });
    for format in [Format::Text004, Format::OpenMetrics1] {
        let families = read(&render(&store, format), format);
        let kind = if format == Format::Text004 { "counter" } else { "unknown" };
        for name in ["plain", "orders_total"] {
            assert_eq!(family(&families, name).kind, kind);
            assert_eq!(family(&families, name).samples[0].name, name);
        }
        assert_eq!(family(&families, "orders").kind, "gauge");
    }
}

#[test]
fn exemplars_are_shown_in_openmetrics_only() {
    let store = Store::new();
    let cell = store.histogram("wait_seconds", &[("queue", "a")]);
    cell.record_with_exemplar(0.02, [0x1f; 16], [0xe0; 8]);
    let families = read(&render(&store, Format::OpenMetrics1), Format::OpenMetrics1);
    let exemplars: Vec<_> =
        family(&families, "wait_seconds").samples.iter().filter_map(|s| s.exemplar.clone()).collect();
    let labels = vec![("trace_id".into(), "1f".repeat(16)), ("span_id".into(), "e0".repeat(8))];
    assert_eq!(exemplars, [(labels, 0.02)]);
    read(&render(&store, Format::Text004), Format::Text004);
}

#[test]
fn bounds_below_zero_leave_the_sum_out_of_openmetrics() {
    let store = Store::builder().buckets_for("temperature", &[-10.0, 0.0, 10.0]).build().unwrap();
    store.histogram("temperature", &[("room", "a")]).record(-20.0);
    let names = |format| {
        let families = read(&render(&store, format), format);
        family(&families, "temperature").samples.iter().map(|s| s.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(Format::Text004).len(), 6);
    assert_eq!(names(Format::OpenMetrics1), ["temperature_bucket"; 4]);
}

#[test]
fn special_values_are_spelled_as_prometheus_wants() {
    let store = Store::new();
    metrics::with_local_recorder(&store, || {
        metrics::gauge!("g", "v" => "a").set(f64::INFINITY);
        metrics::gauge!("g", "v" => "b").set(f64::NEG_INFINITY);
        metrics::gauge!("g", "v" => "c").set(f64::NAN);
    });
    let text = page(&store, Format::Text004);
    assert_eq!(text, "# TYPE g gauge\ng{v=\"a\"} +Inf\ng{v=\"b\"} -Inf\ng{v=\"c\"} NaN\n");
}

#[test]
fn a_page_is_consistent_while_others_write() {
    let store = Store::new();
    std::thread::scope(|scope| {
        let store = &store;
        for thread in 0..3 {
            scope.spawn(move || {
                let cell = store.histogram("busy_seconds", &[("thread", thread.to_string())]);
                for _ in 0..20_000 {
                    cell.record_with_exemplar(f64::from(thread) * 0.7, [9; 16], [9; 8]);
                    metrics::with_local_recorder(store, || {
                        metrics::counter!("busy_total", "thread" => thread.to_string()).increment(1);
                    });
                }
            });
        }
        for _ in 0..50 {
            // The reader checks that counts are cumulative and agree with `+Inf`.
            for format in [Format::Text004, Format::OpenMetrics1] {
                read(&render(store, format), format);
            }
        }
    });
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\\\\\"\n{},= #a\r\u{0}äß€]{0,12}",
        Just("le".to_owned()),
        Just("__name__".to_owned()),
    ]
}

fn labels() -> impl Strategy<Value = Vec<Label>> {
    let label = (hostile(), hostile()).prop_map(|(name, value)| Label::new(name, value));
    proptest::collection::vec(label, 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_registered_reads_back(
        metrics in proptest::collection::vec((hostile(), labels(), hostile(), 0..3), 1..12),
        value in any::<f64>(),
    ) {
        let store = Store::builder().max_series(4).build().unwrap();
        metrics::with_local_recorder(&store, || {
            for (name, labels, help, kind) in metrics {
                let help = SharedString::from(help);
                match kind {
                    0 => {
                        metrics::describe_counter!(name.clone(), help);
                        metrics::counter!(name, labels).increment(1);
                    }
                    1 => {
                        metrics::describe_gauge!(name.clone(), Unit::Bytes, help);
                        metrics::gauge!(name, labels).set(value);
                    }
                    _ => {
                        metrics::describe_histogram!(name.clone(), Unit::Seconds, help);
                        metrics::histogram!(name, labels).record(value);
                    }
                }
            }
        });
        for format in [Format::Text004, Format::OpenMetrics1] {
            read(&render(&store, format), format);
        }
        super::protobuf::tests::families(&store);
    }

    #[test]
    fn label_values_read_back_unchanged(value in hostile().prop_filter("kept whole", |value| {
        !value.is_empty() && value.len() <= 512
    })) {
        let store = Store::new();
        metrics::with_local_recorder(&store, || metrics::gauge!("g", "v" => value.clone()).set(1.0));
        for format in [Format::Text004, Format::OpenMetrics1] {
            let families = read(&render(&store, format), format);
            prop_assert_eq!(family(&families, "g").samples[0].label("v"), Some(value.as_str()));
        }
        let gauge = super::protobuf::tests::family(&store, "g");
        prop_assert_eq!(gauge.metric[0].label[0].value.as_deref(), Some(value.as_str()));
    }
}
