//! The checks that are ready to use, against the real thing: each server is started, stopped mid-test and brought
//! back, and the registry has to follow.
//!
//! Needs PostgreSQL, MariaDB and Redis (Debian: `postgresql`, `mariadb-server`, `redis-server`). Without one its
//! tests are skipped, unless `BARTIZAN_REQUIRE_SERVICES` is set.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]
#![allow(clippy::print_stdout, reason = "figures, and why something is skipped")]

mod databases;
mod remote;
mod secrets;
mod server;
mod under_load;

use std::time::{Duration, Instant};

use bartizan_health::{CheckOptions, Group, Registry, Status};

const INTERVAL: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_secs(2);
/// For a machine that does other things too. How soon it is on one that keeps up is measured under load.
const SLACK: Duration = Duration::from_secs(20);

fn options() -> CheckOptions {
    CheckOptions::new().interval(INTERVAL).timeout(TIMEOUT)
}

/// Waits until the check is as wanted, and says what its message is then.
async fn follows(registry: &Registry, name: &str, wanted: Status) -> String {
    let begin = Instant::now();
    loop {
        let report = registry.last_report(Group::All);
        let check = report.checks.iter().find(|check| *check.name == *name).expect("it is registered");
        let message = check.message.as_deref().unwrap_or_default().to_owned();
        if check.status == wanted && check.age.is_some() {
            println!("{name} is {wanted} after {:?}: {message}", begin.elapsed());
            return message;
        }
        let allowed = INTERVAL + TIMEOUT + SLACK;
        assert!(begin.elapsed() < allowed, "{name} is not {wanted} within {allowed:?} but: {check:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Healthy, then unhealthy when the server is killed, then healthy again, twice over.
async fn goes_with(server: &mut server::Server, registry: &Registry, name: &str) {
    follows(registry, name, Status::Healthy).await;
    for _ in 0..2 {
        server.kill();
        follows(registry, name, Status::Unhealthy).await;
        server.start();
        follows(registry, name, Status::Healthy).await;
    }
}
