use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::Request;
use tokio::time::{Instant, sleep};

use crate::{CheckOptions, Criticality, Endpoints, Health, Probe, Registry, Startup, StartupError};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn startup() -> CheckOptions {
    CheckOptions::new().startup(true)
}

/// A check that passes from its `good`th run on, and when it was run.
fn passing(registry: &Registry, name: &str, good: usize) -> Arc<Mutex<Vec<Instant>>> {
    let runs = Arc::<Mutex<Vec<Instant>>>::default();
    let seen = Arc::clone(&runs);
    let check = move || {
        let mut seen = seen.lock().unwrap();
        seen.push(Instant::now());
        let health = if seen.len() < good {
            Health::unhealthy(format!("run {} of postgres://app:s3cret@db", seen.len()))
        } else {
            Health::healthy()
        };
        async { health }
    };
    registry.register_with(name, check, startup()).unwrap();
    runs
}

async fn code(registry: &Registry, probe: Probe) -> u16 {
    let (parts, ()) = Request::get("/").body(()).unwrap().into_parts();
    Endpoints::new(registry.clone()).answer(probe, &parts).await.status.as_u16()
}

#[tokio::test(start_paused = true)]
async fn what_passes_at_once_takes_no_time() {
    let registry = Registry::new();
    let runs = passing(&registry, "db", 1);
    let began = Instant::now();
    registry.start(Startup::new()).await.unwrap();
    assert!(registry.is_started());
    assert_eq!((runs.lock().unwrap().len(), began.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn without_checks_it_passes() {
    let registry = Registry::new();
    registry.start(Startup::new()).await.unwrap();
    assert_eq!(code(&registry, Probe::Ready).await, 200);
}

#[tokio::test(start_paused = true)]
async fn pauses_double_with_jitter_up_to_the_longest() {
    let registry = Registry::new();
    let runs = passing(&registry, "db", 12);
    registry.start(Startup::new().deadline(s(3600))).await.unwrap();
    let runs = runs.lock().unwrap();
    let mut whole = 100;
    let mut halves = 0;
    for pair in runs.windows(2) {
        let pause = (pair[1] - pair[0]).as_millis();
        // The timer has a millisecond's grain.
        assert!((whole / 2..=whole + 1).contains(&pause), "{pause} ms where {whole} is the whole");
        halves += u32::from(pause < whole);
        whole = (whole * 2).min(5000);
    }
    assert!(halves > 0, "every pause was whole: there is no jitter");
}

#[tokio::test(start_paused = true)]
async fn failure_names_the_check_its_last_word_and_no_secret() {
    let registry = Registry::new();
    passing(&registry, "cache", 1);
    passing(&registry, "db", usize::MAX);
    passing(&registry, "broker", usize::MAX);
    let began = Instant::now();
    let error = registry.start(Startup::new().deadline(s(10))).await.unwrap_err();
    assert!((Duration::from_millis(9_800)..s(10)).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert_eq!((error.check.as_str(), error.others), ("db", 1));
    let text = error.to_string();
    let last = format!("run {} of postgres://[REDACTED]@db", error.attempts);
    assert!(text.contains("`db` (and 1 more)") && text.ends_with(&last), "{text}");
    assert!(error.attempts > 5 && !format!("{error:?}").contains("s3cret"));
    assert_eq!(StartupError::EXIT_CODE, 69);
    assert!(!registry.is_started());
    assert_eq!(code(&registry, Probe::Ready).await, 503);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_ends_the_start_at_the_deadline() {
    let registry = Registry::new();
    registry.register_with("hung", std::future::pending::<()>, startup().timeout(s(50))).unwrap();
    let began = Instant::now();
    let error = registry.start(Startup::new().deadline(s(3))).await.unwrap_err();
    assert_eq!((error.message.as_str(), error.attempts, began.elapsed()), ("Timeout", 1, s(3)));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_zero_is_one_attempt() {
    let registry = Registry::new();
    let slow = || async { sleep(s(1)).await };
    registry.register_with("slow", slow, startup()).unwrap();
    registry.start(Startup::new().deadline(Duration::ZERO)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_attempt_waits_for_its_checks_and_never_runs_one_twice_at_once() {
    let registry = Registry::new();
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let runs = Arc::new(AtomicUsize::new(0));
    let check = {
        let (running, most, runs) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&runs));
        move || {
            let (running, most, runs) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&runs));
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                sleep(Duration::from_millis(700)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                if runs.fetch_add(1, Ordering::SeqCst) < 2 { Err("not yet") } else { Ok(()) }
            }
        }
    };
    registry.register_with("slow", check, startup()).unwrap();
    let probing = tokio::spawn({
        let registry = registry.clone();
        async move {
            loop {
                code(&registry, Probe::Ready).await;
                sleep(Duration::from_millis(30)).await;
            }
        }
    });
    registry.start(Startup::new()).await.unwrap();
    probing.abort();
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn beside_the_server_probes_keep_traffic_out_until_it_passes() {
    let registry = Registry::new();
    // Not part of readiness: it is the start that holds readiness back.
    let runs = Arc::new(AtomicUsize::new(0));
    let check = move || {
        let run = runs.fetch_add(1, Ordering::Relaxed);
        async move { if run < 4 { Err("warming up") } else { Ok(()) } }
    };
    registry.register_with("warm", check, startup().readiness(false)).unwrap();
    assert_eq!(code(&registry, Probe::Ready).await, 200, "nobody has asked for a start");
    let starting = tokio::spawn(registry.start(Startup::new()));
    assert_eq!(code(&registry, Probe::Ready).await, 503);
    assert_eq!(code(&registry, Probe::Startup).await, 503);
    assert_eq!(code(&registry, Probe::Live).await, 200);
    starting.await.unwrap().unwrap();
    assert_eq!(code(&registry, Probe::Ready).await, 200);
    assert_eq!(code(&registry, Probe::Startup).await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_is_not_critical_holds_nothing_up() {
    let registry = Registry::new();
    let options = startup().criticality(Criticality::Degrading);
    registry.register_with("mail", || async { Health::unhealthy("refused") }, options).unwrap();
    registry.start(Startup::new()).await.unwrap();
}
