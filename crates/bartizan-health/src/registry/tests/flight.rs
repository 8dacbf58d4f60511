//! How checks are run: timeouts, single flight, staleness.

use std::{
    pin::pin,
    sync::{Mutex, mpsc},
    task::{self, Poll, Waker},
};

use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::*;
use crate::blocking;

const MS: Duration = Duration::from_millis(1);

fn polled_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut task::Context::from_waker(Waker::noop()))
}

// R-HLT-12
#[tokio::test(start_paused = true)]
async fn an_answer_comes_in_time_while_checks_hang() {
    let registry = with("hang", std::future::pending::<()>);
    registry.register("quick", || async {}).unwrap();
    let start = Instant::now();
    assert_eq!(all(&registry).await, [unhealthy("Timeout"), healthy()]);
    assert!(start.elapsed() < 100 * MS, "{:?}", start.elapsed());
}

// R-HLT-2
#[tokio::test(start_paused = true)]
async fn a_timed_out_check_is_not_started_twice_and_its_late_result_is_dropped() {
    let (runs, check) = taking(10 * SECOND);
    let registry = with("slow", check);
    all(&registry).await;
    sleep(6 * SECOND).await;
    let start = Instant::now();
    for _ in 0..3 {
        let report = registry.report(Group::All).await;
        assert_eq!(report.checks[0].message.as_deref(), Some("Timeout"));
        assert_eq!(report.checks[0].latency, 5 * SECOND);
    }
    assert_eq!(start.elapsed(), Duration::ZERO, "an overdue check is not waited for");
    assert_eq!(runs.load(Ordering::SeqCst), 1);

    sleep(5 * SECOND).await;
    assert_eq!(registry.last_report(Group::All).checks[0].message.as_deref(), Some("Timeout"));
    assert_eq!(all(&registry).await, [unhealthy("Timeout")]);
    assert_eq!(runs.load(Ordering::SeqCst), 2, "it has returned, so it is asked again");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_makes_room_for_the_next() {
    let (runs, check) = taking(Duration::MAX);
    let registry = Registry::new();
    registry.register_with("a", check, CheckOptions::new().cancel_on_timeout(true)).unwrap();
    for expected in 1..=3 {
        assert_eq!(all(&registry).await, [unhealthy("Timeout")]);
        assert_eq!(runs.load(Ordering::SeqCst), expected);
        sleep(6 * SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_check_has_its_own_timeout_and_all_run_at_once() {
    let registry = Registry::builder().answer_within(SECOND).build().unwrap();
    for name in ["a", "b", "c"] {
        registry.register(name, || sleep(80 * MS)).unwrap();
    }
    registry.register_with("d", || sleep(80 * MS), CheckOptions::new().timeout(50 * MS)).unwrap();
    let start = Instant::now();
    assert_eq!(all(&registry).await, [healthy(), healthy(), healthy(), unhealthy("Timeout")]);
    assert_eq!(start.elapsed(), 80 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_unhealthy_without_its_text_and_harms_nobody() {
    let registry = with("panic", || async { panic!("s3cret") as () });
    registry.register("good", || async {}).unwrap();
    for _ in 0..2 {
        assert_eq!(all(&registry).await, [unhealthy("check panicked"), healthy()]);
        sleep(2 * SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_concurrent_probes_run_each_check_once() {
    let (slow, slow_check) = taking(50 * MS);
    let (quick, quick_check) = taking(Duration::ZERO);
    let registry = with("slow", slow_check);
    registry.register("quick", quick_check).unwrap();
    let mut probes = JoinSet::new();
    for _ in 0..1_000 {
        let registry = registry.clone();
        probes.spawn(async move { all(&registry).await });
    }
    for answer in probes.join_all().await {
        assert_eq!(answer, [healthy(), healthy()]);
    }
    assert_eq!((slow.load(Ordering::SeqCst), quick.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_result_serves_for_its_ttl_from_the_end_of_the_run() {
    let (runs, check) = taking(50 * MS);
    let registry = with("a", check);
    for (pause, expected) in [(0, 1), (999, 1), (1, 2), (500, 2)] {
        sleep(pause * MS).await;
        all(&registry).await;
        assert_eq!(runs.load(Ordering::SeqCst), expected, "after {pause} ms more");
    }
}

#[tokio::test(start_paused = true)]
async fn a_ttl_of_zero_runs_for_every_probe_in_turn() {
    let (runs, check) = taking(MS);
    let registry = Registry::new();
    registry.register_with("a", check, CheckOptions::new().ttl(Duration::ZERO)).unwrap();
    for _ in 0..3 {
        assert_eq!(all(&registry).await, [healthy()]);
    }
    assert_eq!(runs.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn the_last_known_result_answers_while_a_slow_run_goes_on() {
    let slow = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&slow);
    let registry = with("db", move || {
        let time = if flag.load(Ordering::SeqCst) { SECOND } else { Duration::ZERO };
        async move {
            sleep(time).await;
            if time.is_zero() { Health::healthy() } else { Health::degraded("slow") }
        }
    });
    assert_eq!(all(&registry).await, [healthy()]);
    slow.store(true, Ordering::SeqCst);
    sleep(2 * SECOND).await;
    let start = Instant::now();
    let report = registry.report(Group::All).await;
    assert_eq!((report.checks[0].status, report.checks[0].stale), (Status::Healthy, true));
    assert_eq!(start.elapsed(), 60 * MS);
    sleep(SECOND).await;
    let report = registry.report(Group::All).await;
    assert_eq!((report.checks[0].status, report.checks[0].stale), (Status::Degraded, false));
}

#[tokio::test(start_paused = true)]
async fn a_run_outlives_the_probe_that_began_it() {
    let (runs, check) = taking(50 * MS);
    let registry = with("a", check);
    assert!(timeout(10 * MS, registry.report(Group::All)).await.is_err());
    assert_eq!(all(&registry).await, [healthy()]);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[test]
fn a_runtime_that_goes_down_leaves_the_check_free() {
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (runs, check) = taking(95 * MS);
    let registry = with("a", check);
    assert_eq!(runtime().block_on(all(&registry)), [unhealthy("Timeout")]);
    assert_eq!(registry.last_report(Group::All).checks[0].message.as_deref(), Some("Not checked yet"));
    // Here the tasks are dropped before they were polled.
    runtime().block_on(async {
        assert!(
            std::future::poll_fn(|cx| Poll::Ready(pin!(registry.report(Group::All)).poll(cx)))
                .await
                .is_pending()
        );
    });
    runtime().block_on(all(&registry));
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_that_blocks_its_thread_does_not_stall_the_others() {
    let (release, blocked) = mpsc::channel::<()>();
    let blocked = Mutex::new(blocked);
    let registry = Registry::builder().answer_within(10 * SECOND).build().unwrap();
    registry
        .register("blocks", move || {
            // Ends when the other check has run, and never if it is stalled.
            let _ = blocked.lock().unwrap().recv();
            std::future::ready(())
        })
        .unwrap();
    registry.register("other", move || std::future::ready(release.send(()))).unwrap();
    assert_eq!(all(&registry).await, [healthy(), healthy()]);
}

#[tokio::test]
async fn blocking_functions_have_a_thread_of_their_own() {
    let registry = Registry::builder().answer_within(10 * SECOND).build().unwrap();
    let here = std::thread::current().id();
    let elsewhere = move || {
        assert_ne!(std::thread::current().id(), here);
        tokio::runtime::Handle::try_current().map(drop)
    };
    registry.register("a", blocking(elsewhere)).unwrap();
    registry.register("b", blocking(|| -> () { panic!() })).unwrap();
    assert_eq!(all(&registry).await, [healthy(), unhealthy("check panicked")]);
}

/// On a single worker thread, without a blocking pool to speak of: what a deadlocked function can take, it takes.
#[test]
fn a_deadlocked_function_stalls_neither_checks_nor_probes_nor_the_shutdown() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let (_never, locked) = mpsc::channel::<()>();
    let locked = Mutex::new(locked);
    let deadlock = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        let _ = locked.lock().unwrap().recv();
    };
    let registry = Registry::builder().answer_within(60 * SECOND).build().unwrap();
    let options = CheckOptions::new().timeout(20 * MS).interval(MS).cancel_on_timeout(true);
    registry.register_with("deadlock", blocking(deadlock), options).unwrap();
    let other = CheckOptions::new().ttl(Duration::ZERO);
    registry.register_with("other", blocking(|| {}), other).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let asked = registry.clone();
    let probes = async move {
        let mut messages = Vec::new();
        while messages.len() < 20 {
            let start = std::time::Instant::now();
            let report = asked.report(Group::All).await;
            // Stalled, it would take the sixty seconds.
            assert!(start.elapsed() < 30 * SECOND, "{:?}", start.elapsed());
            assert_eq!(report.checks[1].status, Status::Healthy);
            messages.extend(report.checks[0].message.clone());
            sleep(5 * MS).await;
        }
        tokio::task::spawn_blocking(|| {}).await.unwrap();
        messages
    };
    let messages = runtime.block_on(runtime.spawn(probes)).unwrap();
    assert!(messages.contains(&"the run before still holds its thread".into()), "{messages:?}");
    assert_eq!(calls.load(Ordering::SeqCst), 1, "one thread, however many runs");
    drop(runtime); // would wait for a thread of the pool for ever
}

/// The first result is news, so the listener gets a new run going before the first caller is awake.
#[tokio::test(start_paused = true)]
async fn a_caller_is_served_by_its_run_even_if_the_next_has_begun() {
    let (runs, check) = taking(50 * MS);
    let registry = Registry::new();
    registry.register_with("a", check, CheckOptions::new().ttl(Duration::ZERO)).unwrap();
    let same = registry.clone();
    registry.on_change(move |_| assert!(polled_once(all(&same)).is_pending())).unwrap();
    let start = Instant::now();
    all(&registry).await;
    assert_eq!((start.elapsed(), runs.load(Ordering::SeqCst)), (50 * MS, 2));
    all(&registry).await;
    assert_eq!(runs.load(Ordering::SeqCst), 2, "the second run is joined");
}
