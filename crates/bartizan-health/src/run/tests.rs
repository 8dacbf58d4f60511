use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use metrics::{
    Counter, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use tokio::{runtime, time::sleep};

use super::*;
use crate::{Group, HealthError, Registry};

#[test]
fn a_long_message_is_cut_by_characters() {
    assert_eq!(&*bounded(&"ü".repeat(256)), "ü".repeat(256));
    assert_eq!(&*bounded(&"ü".repeat(257)), "ü".repeat(255) + "…");
}

#[test]
fn a_message_stays_on_one_line() {
    assert_eq!(&*bounded("a\r\nb\0c\u{85}d"), "a  b c d");
}

#[test]
fn large_details_are_left_out() {
    assert!(fits(&Value::String("x".repeat(MAX_DETAILS - 2))));
    assert!(!fits(&Value::String("x".repeat(MAX_DETAILS - 1))));
}

/// What was recorded or logged, a line each.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn push(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A registry with a check that gives the statuses in turn, a new one every two seconds.
fn in_turn(statuses: &[Health]) -> Result<Registry, HealthError> {
    let statuses = Mutex::new(VecDeque::from(statuses.to_vec()));
    let next = move || statuses.lock().unwrap().pop_front().unwrap_or(Health::healthy());
    Registry::builder()
        .register("db", move || {
            let health = next();
            async move {
                sleep(Duration::from_millis(50)).await;
                health
            }
        })
        .build()
}

async fn readings(registry: &Registry, count: usize) {
    for _ in 0..count {
        registry.report(Group::All).await;
        sleep(Duration::from_secs(2)).await;
    }
}

fn run_paused(work: impl Future) {
    runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(work);
}

#[test]
fn listeners_hear_of_changes_only_and_their_panics_are_caught() {
    let heard = Lines::default();
    let registry = in_turn(&[
        Health::healthy(),
        Health::healthy(),
        Health::unhealthy("redis://:s3cret@cache"),
        Health::degraded("slow"),
        Health::degraded("still slow"),
    ])
    .unwrap();
    registry.on_change(|_| panic!("a bad listener")).unwrap();
    let lines = heard.clone();
    registry
        .on_change(move |c| lines.push(format!("{} {:?} {} {:?}", c.name, c.from, c.to, c.message)))
        .unwrap();
    run_paused(readings(&registry, 5));
    assert_eq!(
        heard.take(),
        [
            "db None healthy None",
            r#"db Some(Healthy) unhealthy Some("redis://[REDACTED]@cache")"#,
            r#"db Some(Unhealthy) degraded Some("slow")"#
        ]
    );
}

#[test]
fn a_removed_check_is_heard_of_no_more() {
    let heard = Lines::default();
    let registry = in_turn(&[Health::unhealthy("late")]).unwrap();
    let lines = heard.clone();
    registry.on_change(move |change| lines.push(change.name.to_string())).unwrap();
    run_paused(async {
        let _ = timeout(Duration::from_millis(10), registry.report(Group::All)).await;
        registry.unregister("db");
        sleep(Duration::from_secs(1)).await;
    });
    assert!(heard.take().is_empty());
}

struct Series(String, Lines);

impl GaugeFn for Series {
    fn increment(&self, _: f64) {}
    fn decrement(&self, _: f64) {}
    fn set(&self, value: f64) {
        self.1.push(format!("{} = {value}", self.0));
    }
}

impl HistogramFn for Series {
    fn record(&self, value: f64) {
        self.1.push(format!("{} + {value}", self.0));
    }
}

impl Lines {
    fn series(&self, key: &Key) -> Arc<Series> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(Series(format!("{}{{{}}}", key.name(), labels.join(",")), self.clone()))
    }
}

impl Recorder for Lines {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.push(format!("gauge {}", name.as_str()));
    }
    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.push(format!("histogram {} {unit:?}", name.as_str()));
    }
    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.series(key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.series(key))
    }
}

// R-HLT-10
#[test]
fn each_run_is_measured_and_a_removed_check_is_not_a_number() {
    let lines = Lines::default();
    let registry =
        in_turn(&[Health::healthy(), Health::degraded("slow"), Health::unhealthy("down")]).unwrap();
    metrics::with_local_recorder(&lines, || {
        run_paused(readings(&registry, 3));
        registry.unregister("db");
    });
    assert_eq!(
        lines.take(),
        [
            "gauge health_check_status",
            "histogram health_check_duration_seconds Some(Seconds)",
            "health_check_status{check=db} = 1",
            "health_check_duration_seconds{check=db} + 0.05",
            "health_check_status{check=db} = 0.5",
            "health_check_duration_seconds{check=db} + 0.05",
            "health_check_status{check=db} = 0",
            "health_check_duration_seconds{check=db} + 0.05",
            "health_check_status{check=db} = NaN",
        ]
    );
}
