use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

use crate::{Drain, Phase, Registry, Unfinished};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A server whose last request ends this long after the closing.
fn start(drain: &Drain, busy: Duration) -> JoinHandle<Result<&'static str, Unfinished>> {
    let (drain, closing) = (drain.clone(), drain.closing());
    tokio::spawn(async move {
        let server = async {
            closing.await;
            sleep(busy).await;
            "served"
        };
        drain.run(server).await
    })
}

#[tokio::test(start_paused = true)]
async fn readiness_fails_first_then_the_listener_closes_then_requests_finish() {
    let registry = Registry::new();
    let drain = Drain::new(registry.clone());
    let running = start(&drain, s(10));
    let began = Instant::now();
    assert_eq!((drain.phase(), registry.is_draining()), (Phase::Serving, false));
    drain.stop();
    registry.draining().await;
    sleep(s(4)).await;
    assert_eq!((drain.phase(), registry.is_draining()), (Phase::Draining, true));
    drain.closing().await;
    assert_eq!((drain.phase(), began.elapsed()), (Phase::Closing, s(5)));
    assert_eq!(running.await.unwrap(), Ok("served"));
    assert_eq!(began.elapsed(), s(15));
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_what_runs_is_cut_off() {
    let drain = Drain::new(Registry::new()).delay(Duration::ZERO).deadline(s(2));
    let running = start(&drain, s(60));
    drain.stop();
    assert_eq!(running.await.unwrap(), Err(Unfinished { waited: s(2) }));
    assert_eq!(drain.phase(), Phase::Cut);
}

#[tokio::test(start_paused = true)]
async fn a_second_stop_cuts_the_delay_and_a_third_one_the_requests() {
    let drain = Drain::new(Registry::new());
    let running = start(&drain, s(20));
    let began = Instant::now();
    drain.stop();
    sleep(s(1)).await;
    drain.stop();
    drain.closing().await;
    assert_eq!(began.elapsed(), s(1));
    sleep(s(3)).await;
    assert_eq!(drain.phase(), Phase::Closing);
    drain.stop();
    assert_eq!(running.await.unwrap(), Err(Unfinished { waited: s(3) }));
}

#[tokio::test(start_paused = true)]
async fn a_second_stop_after_the_delay_cuts_the_requests() {
    let drain = Drain::new(Registry::new()).delay(s(1));
    let running = start(&drain, s(20));
    drain.stop();
    sleep(s(3)).await;
    assert_eq!(drain.phase(), Phase::Closing);
    drain.stop();
    let unfinished = running.await.unwrap().unwrap_err();
    assert_eq!(unfinished, Unfinished { waited: s(2) });
    let text = unfinished.to_string();
    assert!(text.contains("running 2.0s after") && text.contains("by a further signal"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_by_itself_is_not_waited_for() {
    let drain = Drain::new(Registry::new());
    assert_eq!(drain.run(async { "broke" }).await, Ok("broke"));
    assert_eq!(drain.phase(), Phase::Serving);
}

#[tokio::test(start_paused = true)]
async fn a_stop_before_the_run_is_remembered() {
    let drain = Drain::new(Registry::new()).delay(s(1));
    drain.stop();
    assert_eq!(start(&drain, s(1)).await.unwrap(), Ok("served"));
}

#[tokio::test(start_paused = true)]
async fn what_is_cut_off_has_a_moment_to_say_so() {
    static SAID: AtomicBool = AtomicBool::new(false);
    let drain = Drain::new(Registry::new()).delay(Duration::ZERO).deadline(s(1));
    let shared = std::sync::Arc::clone(&drain.shared);
    drain.stop();
    let server = async move {
        shared.until(|state| state.has_reached(Phase::Cut)).await;
        SAID.store(true, Ordering::Relaxed);
    };
    assert!(drain.run(server).await.is_err());
    assert!(SAID.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn a_stream_can_own_the_wait_for_the_draining() {
    let registry = Registry::new();
    let waiting = tokio::spawn(registry.draining());
    sleep(s(1)).await;
    assert!(!waiting.is_finished());
    registry.drain();
    waiting.await.unwrap();
}
