//! Checks that run at their interval.

use std::sync::Mutex;

use tokio::time::Instant;

use super::*;
use crate::CheckReport;

const INTERVAL: Duration = Duration::from_secs(10);

fn every(interval: Duration) -> CheckOptions {
    CheckOptions::new().interval(interval)
}

fn only(registry: &Registry) -> CheckReport {
    registry.last_report(Group::All).checks.remove(0)
}

/// A check that fails while the switch is off.
fn switched() -> (Arc<AtomicBool>, impl Check) {
    let on = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&on);
    let check = move || std::future::ready(if switch.load(Ordering::SeqCst) { Ok(()) } else { Err("down") });
    (on, check)
}

// R-HLT-2
#[tokio::test(start_paused = true)]
async fn a_check_runs_at_its_interval_whether_anybody_asks_or_not() {
    let (runs, check) = taking(SECOND);
    let registry = Registry::new();
    registry.register_with("a", check, every(INTERVAL)).unwrap();
    sleep(1_000 * SECOND).await;
    // Each run takes a second, and the pause is 9 to 10 seconds; the first may be shorter.
    let quiet = runs.load(Ordering::SeqCst);
    assert!((90..=101).contains(&quiet), "{quiet}");
    for _ in 0..1_000 {
        assert_eq!(all(&registry).await, [healthy()]);
        sleep(Duration::from_millis(1)).await;
    }
    assert!(runs.load(Ordering::SeqCst) - quiet <= 1, "probes start no run");
}

#[tokio::test(start_paused = true)]
async fn instances_that_start_at_once_do_not_go_on_in_step() {
    let starts = Arc::new(Mutex::new(Vec::new()));
    let begin = Instant::now();
    let fleet: Vec<_> = (0..50)
        .map(|_| {
            let starts = Arc::clone(&starts);
            let registry = Registry::new();
            let check = move || {
                starts.lock().unwrap().push(begin.elapsed());
                std::future::ready(())
            };
            registry.register_with("a", check, every(INTERVAL)).unwrap();
            registry
        })
        .collect();
    sleep(INTERVAL).await;
    let starts = starts.lock().unwrap().clone();
    let later: Vec<_> = starts.into_iter().filter(|start| !start.is_zero()).collect();
    assert!(later.len() >= fleet.len());
    let early = later.iter().filter(|start| **start <= INTERVAL / 2).count();
    assert!((5..later.len() - 5).contains(&early), "{early} of {} runs in the first half", later.len());
}

#[tokio::test(start_paused = true)]
async fn the_registry_follows_within_an_interval_and_a_timeout() {
    let (on, check) = switched();
    let registry = Registry::new();
    registry.register_with("db", check, every(INTERVAL)).unwrap();
    sleep(25 * SECOND).await;
    for is_on in [false, true, false, true] {
        on.store(is_on, Ordering::SeqCst);
        sleep(INTERVAL + Duration::from_millis(1)).await;
        assert_eq!(only(&registry).status == Status::Healthy, is_on);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_hangs_is_a_timeout_and_the_next_starts_only_when_it_has_ended() {
    let (runs, check) = taking(100 * SECOND);
    let registry = Registry::new();
    registry.register_with("slow", check, every(INTERVAL)).unwrap();
    assert_eq!(all(&registry).await, [unhealthy("Timeout")]);
    sleep(90 * SECOND).await;
    assert_eq!(all(&registry).await, [unhealthy("Timeout")]);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    let report = only(&registry);
    assert!(report.stale, "its result is 85 s old: {report:?}");
    assert!(report.age.is_some_and(|age| age >= 80 * SECOND));
    sleep(21 * SECOND).await;
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_result_has_an_age_and_is_fresh_while_the_next_is_on_its_way() {
    let (_, check) = taking(4 * SECOND);
    let registry = Registry::new();
    registry.register_with("a", check, every(INTERVAL)).unwrap();
    assert_eq!((only(&registry).age, only(&registry).stale), (None, false));
    sleep(5 * SECOND).await;
    for _ in 0..200 {
        let report = only(&registry);
        assert!(!report.stale && report.age.is_some_and(|age| age <= INTERVAL + 4 * SECOND), "{report:?}");
        sleep(SECOND).await;
    }
}

// R-HLT-12
#[tokio::test(start_paused = true)]
async fn who_asks_first_waits_for_the_first_run_no_longer_than_an_answer_may_take() {
    for (takes, expected) in [(50, healthy()), (500, unhealthy("Timeout"))] {
        let (runs, check) = taking(Duration::from_millis(takes));
        let registry = Registry::new();
        registry.register_with("a", check, every(INTERVAL)).unwrap();
        let start = Instant::now();
        assert_eq!(all(&registry).await, [expected]);
        assert!(start.elapsed() <= Duration::from_millis(60));
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_follows_when_enough_runs_in_a_row_say_so() {
    let (on, check) = switched();
    let registry = Registry::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&heard);
    registry.on_change(move |change| told.lock().unwrap().push(change.to)).unwrap();
    let options = CheckOptions::new().ttl(Duration::ZERO).failure_threshold(3).success_threshold(2);
    registry.register_with("db", check, options).unwrap();
    assert_eq!(all(&registry).await, [healthy()]);
    on.store(false, Ordering::SeqCst);
    for failures in 1..=2 {
        assert_eq!(all(&registry).await, [(Status::Healthy, Some("down".into()))], "why, but not yet");
        assert_eq!(only(&registry).failures, failures);
    }
    assert_eq!(all(&registry).await, [unhealthy("down")]);
    on.store(true, Ordering::SeqCst);
    assert_eq!(all(&registry).await, [unhealthy("down")], "still, and its reason too");
    assert_eq!(only(&registry).failures, 0);
    assert_eq!(all(&registry).await, [healthy()]);
    assert_eq!(*heard.lock().unwrap(), [Status::Healthy, Status::Unhealthy, Status::Healthy]);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_is_removed_or_whose_registry_is_gone_is_let_go_at_once() {
    for drops in [true, false] {
        let alive = Arc::new(());
        let held = Arc::clone(&alive);
        let registry = Registry::new();
        let check =
            move || std::future::ready(if Arc::strong_count(&held) > 0 { Ok(()) } else { Err("gone") });
        registry.register_with("a", check, every(INTERVAL)).unwrap();
        all(&registry).await;
        if drops {
            drop(registry);
        } else {
            registry.unregister("a");
        }
        sleep(Duration::from_millis(1)).await;
        assert_eq!(Arc::strong_count(&alive), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_drains_runs_no_more_checks() {
    let (runs, check) = taking(Duration::ZERO);
    let registry = Registry::new();
    registry.register_with("a", check, every(INTERVAL)).unwrap();
    sleep(25 * SECOND).await;
    registry.drain();
    let so_far = runs.load(Ordering::SeqCst);
    sleep(100 * SECOND).await;
    assert_eq!(all(&registry).await, [healthy()]);
    assert!(only(&registry).stale);
    assert_eq!(runs.load(Ordering::SeqCst), so_far);
}

#[test]
fn the_first_report_begins_where_there_was_no_runtime_and_a_new_runtime_takes_over() {
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (runs, check) = taking(Duration::ZERO);
    let registry = Registry::new();
    registry.register_with("a", check, every(INTERVAL)).unwrap();
    for expected in 1..=3 {
        // The first two runtimes go down before the second run.
        assert_eq!(runtime().block_on(all(&registry)), [healthy()]);
        assert_eq!(runs.load(Ordering::SeqCst), expected);
    }
}
