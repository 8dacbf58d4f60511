//! Free space.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

use rustix::fs::statvfs;
use serde_json::json;

use super::bytes;
use crate::{Check, Health, check::on_thread};

/// Looks at the free space, and the free inodes, of the file system that a path is on (feature `disk`).
///
/// Free is what this process may use, which is less than what there is where some is reserved for root. By
/// default less than a tenth is degraded, and less than a fiftieth unhealthy. A file system that hangs, as those
/// of a network do, holds one thread. Details are `free_bytes`, `total_bytes`, `free_share` and
/// `free_inodes_share` (null where inodes are not counted).
///
/// ```
/// use bartizan_health::{Criticality, CheckOptions, Registry, checks::DiskCheck};
///
/// let uploads = DiskCheck::new("/var/lib/uploads").degraded_below(0.2).unhealthy_below(0.05);
/// Registry::new().register_with("uploads", uploads, CheckOptions::new().criticality(Criticality::Degrading))?;
/// # Ok::<_, bartizan_health::HealthError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DiskCheck {
    path: PathBuf,
    limits: Limits,
    busy: Arc<AtomicBool>,
}

/// Shares of one.
#[derive(Clone, Copy, Debug)]
struct Limits {
    degraded: f64,
    unhealthy: f64,
}

impl DiskCheck {
    /// The file system that this path is on.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), limits: Limits { degraded: 0.1, unhealthy: 0.02 }, busy: Arc::default() }
    }

    /// Degraded when a smaller share than this is free. Default 0.1.
    #[must_use]
    pub fn degraded_below(mut self, share: f64) -> Self {
        self.limits.degraded = share;
        self
    }

    /// Unhealthy when a smaller share than this is free. Default 0.02.
    #[must_use]
    pub fn unhealthy_below(mut self, share: f64) -> Self {
        self.limits.unhealthy = share;
        self
    }
}

impl Check for DiskCheck {
    async fn check(&self) -> Health {
        let (path, limits) = (self.path.clone(), self.limits);
        on_thread(&self.busy, move || match statvfs(&path) {
            Ok(stat) => {
                let block = stat.f_frsize;
                // As `df` counts: what is reserved is neither free nor ours.
                let used = stat.f_blocks.saturating_sub(stat.f_bfree);
                let space = Space {
                    free: stat.f_bavail.saturating_mul(block),
                    total: used.saturating_add(stat.f_bavail).saturating_mul(block),
                    inodes: share(stat.f_favail, stat.f_files),
                };
                space.judged(limits)
            }
            Err(error) => Health::unhealthy(error.to_string()),
        })
        .await
    }
}

struct Space {
    free: u64,
    total: u64,
    /// The share of inodes that is free; none where they are not counted.
    inodes: Option<f64>,
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Space {
    fn judged(&self, limits: Limits) -> Health {
        // A file system without blocks, such as /proc, has nothing to run out of.
        let (space, inodes) = (share(self.free, self.total).unwrap_or(1.0), self.inodes.unwrap_or(1.0));
        let message = if space <= inodes {
            format!("{} of {} free", bytes(self.free), bytes(self.total))
        } else {
            format!("{:.1} % of inodes free", inodes * 100.0)
        };
        let least = space.min(inodes);
        let health = if least < limits.unhealthy {
            Health::unhealthy(message)
        } else if least < limits.degraded {
            Health::degraded(message)
        } else {
            Health::healthy()
        };
        health.with_details(json!({
            "free_bytes": self.free,
            "total_bytes": self.total,
            "free_share": space,
            "free_inodes_share": self.inodes,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::Status;

    fn judged(free: u64, total: u64, inodes: Option<f64>) -> (Status, Option<String>) {
        let limits = DiskCheck::new("/").limits;
        let health = Space { free, total, inodes }.judged(limits);
        (health.status, health.message)
    }

    #[test]
    fn the_scarcer_of_space_and_inodes_decides() {
        const GIB: u64 = 1 << 30;
        assert_eq!(judged(20 * GIB, 100 * GIB, Some(0.5)), (Status::Healthy, None));
        assert_eq!(
            judged(9 * GIB, 100 * GIB, None),
            (Status::Degraded, Some("9.0 GiB of 100.0 GiB free".into()))
        );
        assert_eq!(
            judged(GIB, 100 * GIB, None),
            (Status::Unhealthy, Some("1.0 GiB of 100.0 GiB free".into()))
        );
        assert_eq!(
            judged(20 * GIB, 100 * GIB, Some(0.01)),
            (Status::Unhealthy, Some("1.0 % of inodes free".into()))
        );
        assert_eq!(judged(0, 0, None), (Status::Healthy, None));
    }

    // R-HLT-6
    #[tokio::test]
    async fn it_says_what_df_says() {
        let health = DiskCheck::new(".").check().await;
        let df = Command::new("df").args(["-B1", "--output=size,used,avail", "."]).output().unwrap();
        let df = String::from_utf8(df.stdout).unwrap();
        let figures: Vec<f64> = df.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [_, used, free] = figures[..] else { panic!("{df}") };
        let details = health.details.unwrap();
        // Others write to the same disk.
        let close = |a: f64, b: f64| (a - b).abs() <= 0.05 * (used + free);
        assert!(close(details["free_bytes"].as_f64().unwrap(), free), "{details} {df}");
        assert!(close(details["total_bytes"].as_f64().unwrap(), used + free), "{details} {df}");
    }

    #[tokio::test]
    async fn limits_are_settings_and_a_path_that_is_gone_is_unhealthy() {
        assert_eq!(DiskCheck::new("/").unhealthy_below(1.1).check().await.status, Status::Unhealthy);
        let full = DiskCheck::new("/").unhealthy_below(0.0).degraded_below(1.1);
        assert_eq!(full.check().await.status, Status::Degraded);
        let gone = DiskCheck::new("/no/such/path").check().await;
        assert_eq!(gone, Health::unhealthy("No such file or directory (os error 2)"));
    }
}
