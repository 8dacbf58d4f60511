use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, header};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::sleep;
use tower::ServiceExt;

use super::*;
use crate::{Check, CheckOptions, Exposure, Health, HealthEndpoint, Registry};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A check that is as the number says, and counts its runs.
fn counted() -> (Arc<AtomicUsize>, Arc<AtomicUsize>, impl Check) {
    let (runs, fails) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counter, switch) = (Arc::clone(&runs), Arc::clone(&fails));
    let check = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        let fails = switch.load(Ordering::SeqCst) > 0;
        std::future::ready(if fails { Health::unhealthy("down") } else { Health::healthy() })
    };
    (runs, fails, check)
}

async fn get(service: &HealthEndpoint, path: &str) -> (u16, Bytes) {
    let response = service.clone().oneshot(Request::get(path).body(()).unwrap()).await.unwrap();
    (response.status().as_u16(), response.into_body().collect().await.unwrap().to_bytes())
}

/// Where the bytes are: a kept answer is the same bytes, not equal ones.
fn place((_, body): &(u16, Bytes)) -> *const u8 {
    body.as_ptr()
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_kept_while_nothing_changes_and_runs_nothing() {
    let (runs, _, check) = counted();
    let registry = Registry::new();
    registry.register_with("a", check, CheckOptions::new().interval(10 * SECOND)).unwrap();
    let service = registry.service();
    for path in ["/livez", "/readyz", "/health", "/health/startup"] {
        get(&service, path).await; // the first answer of startup is news itself
        let (second, third) = (get(&service, path).await, get(&service, path).await);
        assert_eq!(place(&second), place(&third), "{path}");
    }
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_made_anew_after_a_second() {
    let service = Registry::new().service();
    let first = get(&service, "/health").await;
    sleep(999 * MS).await;
    assert_eq!(place(&first), place(&get(&service, "/health").await));
    sleep(MS).await;
    assert_ne!(place(&first), place(&get(&service, "/health").await));
}

// R-HLT-12
#[tokio::test(start_paused = true)]
async fn a_check_without_an_interval_is_run_when_its_ttl_is_over_and_not_before() {
    let (runs, fails, check) = counted();
    let registry = Registry::new();
    registry.register_with("a", check, CheckOptions::new().ttl(100 * MS)).unwrap();
    let service = registry.service();
    assert_eq!(get(&service, "/readyz").await.0, 200);
    fails.store(1, Ordering::SeqCst);
    sleep(99 * MS).await;
    assert_eq!((get(&service, "/readyz").await.0, runs.load(Ordering::SeqCst)), (200, 1));
    sleep(MS).await;
    assert_eq!((get(&service, "/readyz").await.0, runs.load(Ordering::SeqCst)), (503, 2));
}

#[tokio::test(start_paused = true)]
async fn news_are_in_the_next_answer() {
    let (_, fails, check) = counted();
    let registry = Registry::new();
    registry.register_with("a", check, CheckOptions::new().interval(100 * MS)).unwrap();
    let service = registry.service();
    assert_eq!(get(&service, "/readyz").await.0, 200);
    fails.store(1, Ordering::SeqCst);
    sleep(101 * MS).await;
    assert_eq!(get(&service, "/readyz").await.0, 503);
    registry.unregister("a");
    assert_eq!(get(&service, "/readyz").await.0, 200);
    registry.register("b", || async { Err::<(), _>("down") }).unwrap();
    assert_eq!(get(&service, "/readyz").await.0, 503);
    registry.unregister("b");
    assert_eq!(get(&service, "/readyz").await.0, 200);
    registry.drain();
    assert_eq!(get(&service, "/readyz").await.0, 503);
}

#[tokio::test(start_paused = true)]
async fn what_one_caller_may_see_is_not_given_to_another() {
    let registry = Registry::builder().register("db", || async { Err::<(), _>("refused") }).build().unwrap();
    let service = Endpoints::new(registry).exposure(Exposure::public().token("s3cret")).service();
    for _ in 0..3 {
        for (token, sees) in [("s3cret", true), ("other", false)] {
            let request = Request::get("/readyz")
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .body(())
                .unwrap();
            let body = service.clone().oneshot(request).await.unwrap().into_body();
            let body = body.collect().await.unwrap().to_bytes();
            assert_eq!(std::str::from_utf8(&body).unwrap().contains("refused"), sees);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_caller_leaves_out_is_not_left_out_for_others() {
    let registry = Registry::builder().register("db", || async { Err::<(), _>("refused") }).build().unwrap();
    let service = Endpoints::new(registry).exposure(Exposure::full()).service();
    for _ in 0..3 {
        assert_eq!(get(&service, "/readyz?exclude=db").await.0, 200);
        assert_eq!(get(&service, "/readyz").await.0, 503);
    }
}

#[tokio::test(start_paused = true)]
async fn only_so_many_answers_are_kept() {
    let registry = Registry::builder().register("db", || async {}).build().unwrap();
    let served = Served::new(Endpoints::new(registry).exposure(Exposure::full()));
    for query in 0..1_000 {
        let paths = ["/readyz", "/readyz/db", "/health", "/livez", "/startup", "/health/detailed"];
        for (path, form) in paths.into_iter().flat_map(|path| ["", "verbose&"].map(|form| (path, form))) {
            let uri = format!("{path}?{form}{query}&exclude={query}");
            for uri in [&*uri, path] {
                let request = Request::builder().method(Method::HEAD).uri(uri).body(()).unwrap();
                let answer = HealthEndpoint::new(Arc::clone(&served)).oneshot(request).await.unwrap();
                assert_eq!((answer.status().as_u16(), answer.body().size_hint().exact()), (200, Some(0)));
            }
        }
    }
    assert_eq!(served.answers.read().unwrap().len(), 5);
}
