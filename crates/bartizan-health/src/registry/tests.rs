use std::sync::atomic::AtomicUsize;

use serde_json::json;
use tokio::time::sleep;

use super::*;
use crate::{Criticality, Health, Status, layer};

mod background;
mod flight;

const SECOND: Duration = Duration::from_secs(1);

fn with(name: &str, check: impl Check) -> Registry {
    Registry::builder().register(name, check).build().unwrap()
}

async fn all(registry: &Registry) -> Vec<(Status, Option<String>)> {
    let checks = registry.report(Group::All).await.checks;
    checks.iter().map(|check| (check.status, check.message.as_deref().map(Into::into))).collect()
}

fn healthy() -> (Status, Option<String>) {
    (Status::Healthy, None)
}

fn unhealthy(message: &str) -> (Status, Option<String>) {
    (Status::Unhealthy, Some(message.into()))
}

/// A check that takes `time` and counts how often it was started.
fn taking(time: Duration) -> (Arc<AtomicUsize>, impl Check) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);
    let check = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        sleep(time)
    };
    (runs, check)
}

// R-HLT-1
#[tokio::test(start_paused = true)]
async fn checks_come_and_go_at_run_time() {
    let registry = with("a", || async {});
    all(&registry).await;
    registry.register("b", || async { Err::<(), _>("refused") }).unwrap();
    assert_eq!(all(&registry).await, [healthy(), unhealthy("refused")]);
    assert_eq!(registry.register("b", || async {}), Err(HealthError::Duplicate { name: "b".into() }));
    assert!(registry.unregister("b") && !registry.unregister("b"));
    assert_eq!(all(&registry).await, [healthy()]);
    registry.register("b", || async {}).unwrap();
    assert_eq!(all(&registry).await, [healthy(), healthy()]);
}

#[test]
fn the_number_of_checks_and_listeners_is_bounded() {
    let registry = Registry::builder().max_checks(1).register("a", || async {}).build().unwrap();
    assert_eq!(registry.register("b", || async {}), Err(HealthError::TooManyChecks { limit: 1 }));
    for _ in 0..64 {
        registry.on_change(|_| {}).unwrap();
    }
    assert_eq!(registry.on_change(|_| {}), Err(HealthError::TooManyListeners));
    let twice = Registry::builder().register("a", || async {}).register("a", || async {}).build();
    assert!(matches!(twice, Err(HealthError::Duplicate { .. })));
}

#[tokio::test(start_paused = true)]
async fn modules_have_their_own_names() {
    let registry = Registry::new();
    let billing = registry.module("billing");
    billing.register(|| async {}).unwrap();
    billing.part("db").register(|| async {}).unwrap();
    registry.module("billing2").register(|| async {}).unwrap();
    assert_eq!(registry.module("").register(|| async {}), Err(HealthError::EmptyName));
    let names = |report: Report| report.checks.iter().map(|check| check.name.to_string()).collect::<Vec<_>>();
    assert_eq!(
        names(registry.last_report(Group::All)),
        ["module:billing", "module:billing:db", "module:billing2"]
    );
    assert_eq!(billing.unregister(), 2);
    assert_eq!(names(registry.last_report(Group::All)), ["module:billing2"]);
}

#[tokio::test(start_paused = true)]
async fn the_worst_critical_check_decides() {
    let registry = with("a", || async {});
    let status = async || registry.report(Group::All).await.status;
    assert_eq!(status().await, Status::Healthy);
    let degrading = CheckOptions::new().criticality(Criticality::Degrading);
    registry.register_with("b", || async { Health::unhealthy("off") }, degrading).unwrap();
    assert_eq!(status().await, Status::Degraded);
    let informational = CheckOptions::new().criticality(Criticality::Informational);
    registry.register_with("c", || async { Health::unhealthy("off") }, informational).unwrap();
    assert_eq!(status().await, Status::Degraded);
    registry.register("d", || async { Health::unhealthy("off") }).unwrap();
    assert_eq!(status().await, Status::Unhealthy);
}

#[tokio::test(start_paused = true)]
async fn startup_passes_once_and_for_all() {
    let up = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&up);
    let registry = Registry::new();
    let check =
        move || std::future::ready(if flag.load(Ordering::SeqCst) { Ok(()) } else { Err("migrating") });
    registry.register_with("migrations", check, CheckOptions::new().readiness(false).startup(true)).unwrap();
    assert!(registry.report(Group::Readiness).await.checks.is_empty());
    assert!(!registry.snapshot(Group::Startup).await.report.started);
    for (is_up, started) in [(false, false), (true, true), (false, true)] {
        up.store(is_up, Ordering::SeqCst);
        sleep(2 * SECOND).await;
        assert_eq!(registry.snapshot(Group::Startup).await.report.started, started);
    }
    assert!(registry.is_started() && Registry::new().snapshot(Group::Startup).await.report.started);
}

#[tokio::test(start_paused = true)]
async fn a_group_of_the_application_has_its_members_and_no_others() {
    let registry = with("db", || async {});
    let gateway = CheckOptions::new().readiness(false).group("gateway").group("edge");
    registry.register_with("partner", || async { Err::<(), _>("refused") }, gateway).unwrap();
    let of = async |group| registry.report(group).await.status;
    assert_eq!(of(Group::Named("gateway")).await, Status::Unhealthy);
    assert_eq!(of(Group::Named("edge")).await, Status::Unhealthy);
    assert_eq!(of(Group::Named("other")).await, Status::Healthy);
    assert_eq!(of(Group::Readiness).await, Status::Healthy);
}

#[tokio::test(start_paused = true)]
async fn liveness_fails_by_a_result_and_never_for_want_of_one() {
    let registry = Registry::new();
    let live = CheckOptions::new().liveness(true).cancel_on_timeout(true);
    registry.register_with("loop", std::future::pending::<()>, live).unwrap();
    registry.register("db", || async { Err::<(), _>("refused") }).unwrap();
    assert!(registry.snapshot(Group::Liveness).await.report.is_alive());
    sleep(6 * SECOND).await;
    let report = registry.snapshot(Group::Liveness).await.report;
    assert_eq!((report.checks.len(), report.is_alive()), (1, false));
    assert!(Registry::new().snapshot(Group::Liveness).await.report.is_alive());
}

#[test]
fn a_dependency_inside_liveness_is_an_error_when_the_registry_is_built() {
    struct Database;
    impl Check for Database {
        async fn check(&self) -> Health {
            Health::healthy()
        }
        fn is_dependency(&self) -> bool {
            true
        }
    }
    let live = CheckOptions::new().liveness(true);
    let built = Registry::builder().register_with("db", Database, live.clone()).build();
    let refused = HealthError::DependencyInLiveness { name: "db".into() };
    assert_eq!(built.err(), Some(refused.clone()));
    let both = Registry::builder().register_with("db", || async {}, live.readiness(true)).build();
    assert_eq!(both.err(), Some(refused));
}

#[tokio::test(start_paused = true)]
async fn secrets_are_gone_before_a_result_is_kept() {
    let registry = with("db", || async {
        Health::unhealthy("postgres://app:s3cret@db refused").with_details(json!({ "password": "s3cret" }))
    });
    let report = registry.report(Group::All).await;
    assert!(!format!("{report:?}").contains("s3cret"));
}

#[test]
fn handles_and_futures_can_cross_threads() {
    fn send_and_sync<T: Send + Sync>() {}
    fn send<T: Send>(_: T) {}
    send_and_sync::<(
        Registry,
        Module,
        Report,
        Endpoints,
        HealthLayer,
        HealthEndpoint,
        layer::HealthService<()>,
    )>();
    send(Registry::new().report(Group::All));
}
