use metrics::{counter, gauge, histogram, with_local_recorder};

use super::*;
use crate::Format;

fn page(store: &Store) -> String {
    let mut out = Vec::new();
    store.render(Format::Text004, &mut out);
    String::from_utf8(out).unwrap()
}

/// The sample lines that begin so.
fn lines(store: &Store, start: &str) -> Vec<String> {
    page(store).lines().filter(|line| line.starts_with(start)).map(str::to_owned).collect()
}

fn assert_shows(store: &Store, line: &str) {
    let page = page(store);
    assert!(page.lines().any(|other| other == line), "no {line} in\n{page}");
}

#[test]
fn totals_are_exact_over_threads() {
    const THREADS: u64 = 8;
    const TIMES: u64 = 5_000;
    let store = Store::new();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || {
                with_local_recorder(store, || {
                    for n in 0..TIMES {
                        counter!("c_total", "slot" => (n % 7).to_string()).increment(1);
                        gauge!("g").increment(1.0);
                        histogram!("h", "half" => if thread % 2 == 0 { "a" } else { "b" }).record(1.0);
                    }
                });
            });
        }
    });
    let sum = |start| {
        let values = lines(&store, start);
        values.iter().map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum::<u64>()
    };
    assert_eq!(sum("c_total{"), THREADS * TIMES);
    assert_eq!(sum("g "), THREADS * TIMES);
    assert_eq!(sum("h_count{"), THREADS * TIMES);
    assert_eq!(sum("h_sum{"), THREADS * TIMES);
}

#[test]
fn the_order_of_labels_makes_no_new_series() {
    let store = Store::new();
    with_local_recorder(&store, || {
        counter!("c_total", "a" => "1", "b" => "2").increment(1);
        counter!("c_total", "b" => "2", "a" => "1").increment(1);
        counter!("c_total", "b" => "2", "a" => "1", "empty" => "").increment(1);
    });
    assert_eq!(lines(&store, "c_total"), [r#"c_total{a="1",b="2"} 3"#]);
}

#[test]
fn a_hundred_thousand_label_values_stay_within_the_cap() {
    let store = Store::builder().max_series(100).build().unwrap();
    with_local_recorder(&store, || {
        for n in 0..100_000 {
            counter!("c_total", "user" => n.to_string(), "shop" => "north").increment(1);
        }
        counter!("c_total").increment(5);
    });
    // One more for the overflow series and one for the series without labels.
    assert_eq!(lines(&store, "c_total").len(), 102);
    assert_eq!(store.inner.index.len(), 101);
    assert_shows(&store, r#"c_total{shop="overflow",user="overflow"} 99900"#);
    assert_shows(&store, r#"bartizan_series_overflow_total{metric="c_total"} 99900"#);
    assert_shows(&store, "c_total 5");
    assert_shows(&store, "bartizan_series 106");
    // Not its length: the store's own durations have more digits at times.
    let size = page(&store).lines().count();
    with_local_recorder(&store, || counter!("c_total", "user" => "another").increment(1));
    assert_eq!(page(&store).lines().count(), size);
}

#[test]
fn a_layer_with_a_cap_of_its_own_counts_in_the_same_place() {
    let store = Store::builder().max_series(1).build().unwrap();
    with_local_recorder(&store, || {
        counter!("bartizan_series_overflow_total", "metric" => "a_total").increment(2);
        for n in ["1", "2"] {
            counter!("a_total", "n" => n).increment(1);
            counter!("b_total", "n" => n).increment(1);
        }
    });
    assert_shows(&store, r#"bartizan_series_overflow_total{metric="a_total"} 3"#);
    assert_shows(&store, r#"bartizan_series_overflow_total{metric="b_total"} 1"#);
}

#[test]
fn known_series_go_on_when_the_cap_is_reached() {
    let store = Store::builder().max_series(1).build().unwrap();
    with_local_recorder(&store, || {
        for user in ["a", "b", "a", "c"] {
            gauge!("g", "user" => user).increment(1.0);
        }
    });
    assert_eq!(lines(&store, "g"), [r#"g{user="a"} 2"#, r#"g{user="overflow"} 2"#]);
}

#[test]
fn the_total_cap_holds_over_all_metrics() {
    let store = Store::builder().max_total_series(3).build().unwrap();
    with_local_recorder(&store, || {
        for n in 0..3 {
            counter!("a_total", "n" => n.to_string()).increment(1);
            counter!("b_total", "n" => n.to_string()).increment(1);
        }
    });
    assert_eq!(lines(&store, "a_total").len(), 3);
    assert_eq!(lines(&store, "b_total").len(), 2);
    assert_shows(&store, r#"b_total{n="overflow"} 2"#);
}

#[test]
fn threads_together_do_not_pass_the_cap() {
    let store = Store::builder().max_series(50).build().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                with_local_recorder(store, || {
                    (0..100).for_each(|n| counter!("c_total", "n" => format!("{thread}-{n}")).increment(1));
                });
            });
        }
    });
    assert_eq!(lines(&store, "c_total").len(), 51);
    assert_shows(&store, r#"c_total{n="overflow"} 350"#);
}

#[test]
fn endless_label_values_share_the_series_of_their_beginning() {
    let store = Store::new();
    with_local_recorder(&store, || {
        for n in 0..10 {
            counter!("c_total", "v" => format!("{}{n}", "x".repeat(600))).increment(1);
        }
    });
    assert_shows(&store, &format!("c_total{{v=\"{}\"}} 10", "x".repeat(512)));
    assert_eq!(store.inner.index.len(), 1);
}

#[test]
fn names_past_the_cap_are_counted_and_do_nothing() {
    let store = Store::builder().max_metrics(2).build().unwrap();
    with_local_recorder(&store, || {
        (0..10).for_each(|n| counter!(format!("c{n}_total")).increment(1));
        metrics::describe_counter!("c9_total", "Never seen.");
    });
    assert_eq!(lines(&store, "c").len(), 2);
    assert_shows(&store, r#"bartizan_metrics_refused_total{metric="overflow",reason="too_many_names"} 8"#);
    assert!(matches!(store.external_gauge("g", "", || 1.0), Err(ExternalError::TooMany { limit: 2, .. })));
}

#[test]
fn a_name_has_one_kind() {
    let store = Store::new();
    with_local_recorder(&store, || {
        counter!("x").increment(1);
        gauge!("x").set(9.0);
        histogram!("x", "a" => "b").record(9.0);
    });
    store.histogram("x", &[("a", "b")]).record(9.0);
    assert_eq!(lines(&store, "x"), ["x 1"]);
    assert_shows(&store, r#"bartizan_metrics_refused_total{metric="x",reason="kind"} 3"#);
}

#[test]
fn samples_of_two_metrics_never_share_a_name() {
    let store = Store::new();
    with_local_recorder(&store, || {
        histogram!("wait").record(1.0);
        counter!("wait_count").increment(1);
        gauge!("bartizan_series").set(-1.0);
        counter!("").increment(1);
        counter!("y".repeat(300)).increment(1);
    });
    assert_eq!(lines(&store, "wait_count"), ["wait_count 1"]);
    assert_shows(&store, r#"bartizan_metrics_refused_total{metric="wait_count",reason="name_clash"} 1"#);
    assert_shows(&store, r#"bartizan_metrics_refused_total{metric="bartizan_series",reason="name_clash"} 1"#);
    assert_shows(&store, r#"bartizan_metrics_refused_total{metric="overflow",reason="bad_name"} 2"#);
}

#[test]
fn two_spellings_of_a_name_are_one_metric() {
    let store = Store::new();
    with_local_recorder(&store, || {
        counter!("orders.placed", "a.b" => "1").increment(1);
        counter!("orders_placed_total", "a_b" => "1").increment(2);
    });
    assert_eq!(lines(&store, "orders"), [r#"orders_placed_total{a_b="1"} 3"#]);
}

#[test]
fn the_first_description_counts_and_a_late_one_gives_help() {
    let store = Store::new();
    with_local_recorder(&store, || {
        histogram!("a.b").record(1.0);
        metrics::describe_histogram!("a.b", metrics::Unit::Seconds, "First.");
        metrics::describe_histogram!("a.b", metrics::Unit::Bytes, "Second.");
    });
    let page = page(&store);
    assert!(page.contains("# HELP a_b First.\n# TYPE a_b histogram\n"), "{page}");
}

#[test]
fn values_from_elsewhere_are_read_for_each_page() {
    let store = Store::new();
    let value = Arc::new(AtomicUsize::new(1));
    let read = value.clone();
    store.external_counter("lost_total", "Lost.", move || read.load(Relaxed) as u64).unwrap();
    assert_shows(&store, "lost_total 1");
    value.store(7, Relaxed);
    assert_shows(&store, "lost_total 7");
    with_local_recorder(&store, || counter!("lost_total").increment(1));
    assert_shows(&store, "lost_total 7");
    assert_shows(&store, r#"bartizan_metrics_refused_total{metric="lost_total",reason="name_clash"} 1"#);
}

#[test]
fn bad_names_from_elsewhere_are_errors() {
    let store = Store::new();
    with_local_recorder(&store, || counter!("used_total").increment(1));
    let error = |name: &str| store.external_counter(name, "", || 0).unwrap_err();
    assert!(matches!(error("a.b_total"), ExternalError::BadName { .. }));
    assert!(matches!(error("lost"), ExternalError::NoTotal { .. }));
    assert!(matches!(error("used_total"), ExternalError::Taken { .. }));
    assert!(matches!(error("bartizan_series_overflow_total"), ExternalError::Taken { .. }));
    assert!(error(&"ä".repeat(1000)).to_string().len() < 800);
}

#[test]
fn a_value_from_elsewhere_may_use_the_store() {
    let store = Store::new();
    let inner = store.clone();
    let read = move || {
        with_local_recorder(&inner, || counter!("reads_total", "by" => "page").increment(1));
        1.0
    };
    store.external_gauge("a", "", read).unwrap();
    assert_shows(&store, "a 1");
    assert_shows(&store, r#"reads_total{by="page"} 2"#);
}

#[test]
fn handles_outlive_the_recorder_scope() {
    let store = Store::new();
    let (counter, gauge) = with_local_recorder(&store, || (counter!("c_total"), gauge!("g")));
    counter.increment(2);
    counter.absolute(1);
    gauge.set(4);
    assert_shows(&store, "c_total 2");
    assert_shows(&store, "g 4");
}
