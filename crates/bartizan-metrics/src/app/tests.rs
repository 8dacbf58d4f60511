use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bartizan_core::Clock;
use metrics::{Counter, Unit, counter, histogram, with_local_recorder};

use super::*;
use crate::exposition::strict::read;
use crate::{Format, MetricError, Store, label_set};

fn page(store: &Store) -> String {
    String::from_utf8(store.page(&http::HeaderMap::new()).body.to_vec()).unwrap()
}

fn assert_shows(store: &Store, line: &str) {
    let page = page(store);
    assert!(page.lines().any(|other| other == line), "no {line} in\n{page}");
}

struct Job<'a> {
    queue: &'a str,
    retry: Option<u8>,
    urgent: bool,
}
label_set!(impl Job<'_> { queue, retry, urgent });

#[test]
fn every_kind_shows_its_help_and_unit() {
    let store = Store::new();
    let metrics = Metrics::new(&store);
    metrics
        .counter("sent_bytes_total")
        .help("Bytes sent.")
        .unit(Unit::Bytes)
        .register()
        .unwrap()
        .increment(7);
    metrics.gauge("temperature_ratio").help("How hot.").register().unwrap().set(0.5);
    let wait = metrics.histogram("wait.time").unit(Unit::Seconds).buckets(&[1.0]).register().unwrap();
    wait.record(0.5);
    let size = metrics.summary("answer_size_bytes").help("Sizes.").quantiles(&[1.0]).family().unwrap();
    size.with(&[("quantile", "mine")]).record(3.0);
    for line in [
        "# HELP sent_bytes_total Bytes sent.",
        "sent_bytes_total 7",
        "temperature_ratio 0.5",
        r#"wait_time_seconds_bucket{le="1"} 1"#,
        "# TYPE answer_size_bytes summary",
        r#"answer_size_bytes{exported_quantile="mine",quantile="1.0"} 3"#,
        r#"answer_size_bytes_sum{exported_quantile="mine"} 3"#,
        r#"answer_size_bytes_count{exported_quantile="mine"} 1"#,
    ] {
        assert_shows(&store, line);
    }
}

#[test]
fn a_strict_parser_reads_them_in_both_formats() {
    let store = Store::new();
    let metrics = Metrics::new(&store);
    let summary = metrics.summary("s").family().unwrap();
    summary.with(&()).record(2.0);
    // Nothing recorded: its quantiles are NaN.
    summary.with(&[("a", "\"x\"")]);
    metrics.time("q", &[("table", "a\nb")]).success();
    store.info("build_info", "What runs.", &[("version", "1")]).unwrap();
    for format in [Format::Text004, Format::OpenMetrics1] {
        let mut page = Vec::new();
        store.render(format, &mut page);
        let families = read(&page, format);
        let family = families.iter().find(|family| family.name == "s").unwrap();
        assert_eq!((&*family.kind, family.samples.len()), ("summary", 10));
    }
}

#[test]
fn label_sets_of_all_kinds_meet_in_one_series() {
    let store = Store::new();
    let jobs = Metrics::new(&store).counter("jobs_total").family().unwrap();
    jobs.with(&Job { queue: "mail", retry: Some(3), urgent: true }).increment(1);
    jobs.with(&[("queue", "mail"), ("retry", "3"), ("urgent", "true")]).increment(1);
    jobs.with(&[("urgent", "true"), ("queue", "mail"), ("retry", "3")]).increment(1);
    with_local_recorder(&store, || {
        counter!("jobs_total", "queue" => "mail", "retry" => "3", "urgent" => "true").increment(1);
    });
    jobs.with(&Job { queue: "mail", retry: None, urgent: false }).increment(1);
    jobs.with(&()).increment(9);
    assert_shows(&store, r#"jobs_total{queue="mail",retry="3",urgent="true"} 4"#);
    assert_shows(&store, r#"jobs_total{queue="mail",urgent="false"} 1"#);
    assert_shows(&store, "jobs_total 9");
}

#[test]
fn no_values_can_pretend_to_be_others() {
    let store = Store::new();
    let family = Metrics::new(&store).counter("c_total").family().unwrap();
    family.with(&[("a", "1"), ("b", "2")]).increment(1);
    family.with(&[("a", "1b"), ("", "2")]).increment(1);
    family.with(&[("a", "1\u{ff}b"), ("b", "2")]).increment(1);
    assert_eq!(family.cached(), 3);
    assert_shows(&store, r#"c_total{a="1",b="2"} 1"#);
}

#[test]
fn a_million_values_of_an_attacker_are_bounded_and_counted() {
    let store = Store::new();
    let metrics = Metrics::new(&store);
    let logins = metrics.counter("logins_total").max_series(50).family().unwrap();
    let queries = metrics.timings("query").max_series(50).register().unwrap();
    for n in 0..1_000_000 {
        logins.with(&[("user", n)]).increment(1);
        if n % 10 == 0 {
            queries.start(&[("user", n)]).success();
        }
    }
    assert_eq!(logins.cached(), 50);
    assert_shows(&store, r#"logins_total{user="overflow"} 999950"#);
    assert_shows(&store, r#"bartizan_series_overflow_total{metric="logins_total"} 999950"#);
    let text = page(&store);
    assert_eq!(text.lines().filter(|line| line.starts_with("logins_total{")).count(), 51);
    let counts = || text.lines().filter(|line| line.starts_with("query_duration_seconds_count{"));
    assert_eq!(counts().count(), 51);
    let sum: u64 = counts().map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(sum, 100_000, "none is lost");
}

#[test]
fn a_summary_has_a_cap_of_its_own() {
    let store = Store::new();
    let summary = Metrics::new(&store).summary("s").family().unwrap();
    (0..1_000).for_each(|n| summary.with(&[("n", n)]).record(1.0));
    assert_shows(&store, r#"s_count{n="overflow"} 900"#);
}

#[test]
fn the_macro_way_meets_the_handles() {
    let store = Store::new();
    let metrics = Metrics::new(&store);
    let summary = metrics.summary("s").quantiles(&[0.0]).register().unwrap();
    let buckets = metrics.histogram("h").buckets(&[5.0]).register().unwrap();
    with_local_recorder(&store, || {
        histogram!("s").record(4.0);
        histogram!("h").record(4.0);
    });
    summary.record(8.0);
    buckets.record(8.0);
    assert_shows(&store, r#"s{quantile="0.0"} 4"#);
    assert_shows(&store, "s_count 2");
    assert_shows(&store, r#"h_bucket{le="5"} 1"#);
    assert_shows(&store, "h_count 2");
}

#[test]
fn what_cannot_be_registered_is_an_error_that_names_it() {
    let store = Store::builder().max_metrics(3).build().unwrap();
    let metrics = Metrics::new(&store);
    let _ = metrics.counter("a").register().unwrap();
    let _ = metrics.histogram("h").buckets(&[1.0]).register().unwrap();
    // Again is no error.
    let _ = metrics.counter("a").register().unwrap();
    let _ = metrics.histogram("h").register().unwrap();
    let error = |result: Result<_, MetricError>| result.err().unwrap().to_string();
    assert!(error(metrics.gauge("a").register().map(drop)).contains("\"a\" is taken"));
    assert!(error(metrics.counter("h_sum").register().map(drop)).contains("\"h_sum\" is taken"));
    assert!(error(metrics.histogram("h").buckets(&[2.0]).register().map(drop)).contains("another shape"));
    assert!(error(metrics.histogram("x").buckets(&[]).register().map(drop)).contains("the list is empty"));
    assert!(error(metrics.summary("x").quantiles(&[1.5]).register().map(drop)).contains("between 0 and 1"));
    assert!(error(metrics.counter("").register().map(drop)).contains("1 to 256 bytes"));
    assert!(error(metrics.counter("z").register().map(drop)).contains("max_metrics"));
    assert!(error(Metrics::off().counter("ä".repeat(999)).register().map(drop)).len() < 1_000);
}

#[tokio::test(start_paused = true)]
async fn timers_tell_success_error_and_what_was_dropped() {
    let store = Store::new();
    let clock = Clock::new(|| tokio::time::Instant::now().into_std());
    let metrics = Metrics::with_clock(&store, clock);
    let labels = [("table", "orders")];
    let sleep = |ms| tokio::time::sleep(Duration::from_millis(ms));
    let slow = async {
        sleep(300).await;
        Ok::<_, ()>(())
    };
    metrics.time("q", &labels).run(slow).await.unwrap();
    metrics.time("q", &labels).run(async { Err::<(), _>(()) }).await.unwrap_err();
    assert_eq!(metrics.time("q", &labels).call(|| Ok::<_, ()>(5)), Ok(5));
    metrics.time("q", &labels).error();
    assert_shows(&store, r#"q_duration_seconds_count{outcome="success",table="orders"} 2"#);
    assert_shows(&store, r#"q_duration_seconds_sum{outcome="success",table="orders"} 0.3"#);
    assert_shows(&store, r#"q_duration_seconds_count{outcome="error",table="orders"} 2"#);
    assert!(!page(&store).contains("dropped"));

    let hanging = metrics.time("q", &labels).run(std::future::pending::<Result<(), ()>>());
    assert!(tokio::time::timeout(Duration::from_secs(2), hanging).await.is_err());
    assert_shows(&store, r#"q_duration_seconds_sum{outcome="dropped",table="orders"} 2"#);

    let panicking = std::panic::AssertUnwindSafe(|| {
        let _timer = metrics.time("q", &labels);
        panic!("no");
    });
    assert!(std::panic::catch_unwind(panicking).is_err());
    assert_shows(&store, r#"q_duration_seconds_count{outcome="error",table="orders"} 3"#);
}

#[test]
fn an_error_rate_is_zero_before_it_is_anything_else() {
    let store = Store::new();
    Metrics::new(&store).time("q_seconds", &[("outcome", "mine")]).success();
    assert_shows(&store, r#"q_seconds_count{outcome="success"} 1"#);
    assert_shows(&store, r#"q_seconds_count{outcome="error"} 0"#);
}

#[test]
fn a_timer_whose_name_is_taken_does_nothing_and_is_counted() {
    let store = Store::new();
    let metrics = Metrics::new(&store);
    let _ = metrics.counter("x_duration_seconds").register().unwrap();
    (0..3).for_each(|_| metrics.time("x", &()).success());
    assert_shows(&store, r#"bartizan_metrics_refused_total{metric="x_duration_seconds",reason="kind"} 3"#);
}

#[test]
fn handles_are_shared_by_threads() {
    let store = Store::new();
    let family = Metrics::new(&store).counter("c_total").family().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1_000).for_each(|n| family.with(&[("n", n % 3)]).increment(1)));
        }
    });
    let total: u64 = page(&store)
        .lines()
        .filter(|line| line.starts_with("c_total{"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum();
    assert_eq!(total, 4_000);
}

/// A label set that looks another series up while its own is being looked up.
struct Curious(Family<Counter>, Arc<AtomicU64>);

impl LabelSet for Curious {
    fn each(&self, label: &mut dyn FnMut(&str, &str)) {
        self.1.fetch_add(1, Relaxed);
        label("a", "1");
        self.0.with(&[("nested", "yes")]).increment(1);
        label("b", "2");
    }
}

#[test]
fn a_label_set_may_use_metrics_itself() {
    let store = Store::new();
    let family = Metrics::new(&store).counter("c_total").family().unwrap();
    family.with(&Curious(family.clone(), Arc::default())).increment(1);
    assert_shows(&store, r#"c_total{a="1",b="2"} 1"#);
}
