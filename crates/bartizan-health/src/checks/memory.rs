//! Memory against the limit of the cgroup.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::bytes;
use crate::{Check, Health};

/// Looks at how much of its memory limit the process's cgroup uses (feature `memory`; Linux).
///
/// The limit is that of cgroup v2 or v1, of the group or of one above it, whichever is closest to being hit; where
/// there is none, it is the memory of the machine. Used is the working set, as Kubernetes counts it: without the
/// file cache that nobody has used for a while. By default more than 85 % is degraded, and more than 95 %
/// unhealthy, shortly before the kernel kills. Details are `used_bytes`, `limit_bytes` and `used_share`.
///
/// ```
/// use bartizan_health::{CheckOptions, Criticality, Registry, checks::MemoryCheck};
///
/// let options = CheckOptions::new().criticality(Criticality::Degrading);
/// Registry::new().register_with("memory", MemoryCheck::new().unhealthy_above(0.9), options)?;
/// # Ok::<_, bartizan_health::HealthError>(())
/// ```
#[derive(Clone, Debug)]
pub struct MemoryCheck {
    degraded: f64,
    unhealthy: f64,
    /// `/`, but in tests.
    root: PathBuf,
}

impl Default for MemoryCheck {
    fn default() -> Self {
        Self { degraded: 0.85, unhealthy: 0.95, root: "/".into() }
    }
}

impl MemoryCheck {
    /// The defaults: degraded above 0.85, unhealthy above 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    /// Degraded when a larger share than this is used. Default 0.85.
    #[must_use]
    pub fn degraded_above(mut self, share: f64) -> Self {
        self.degraded = share;
        self
    }

    /// Unhealthy when a larger share than this is used. Default 0.95.
    #[must_use]
    pub fn unhealthy_above(mut self, share: f64) -> Self {
        self.unhealthy = share;
        self
    }
}

impl Check for MemoryCheck {
    /// The files are the kernel's own: reading them does not block.
    async fn check(&self) -> Health {
        let usage = match Usage::read(&self.root) {
            Ok(usage) => usage,
            // No measure is no proof that there is none left.
            Err(error) => return Health::degraded(format!("memory cannot be measured: {error}")),
        };
        let share = usage.share();
        let message = || format!("{} of {} used", bytes(usage.used), bytes(usage.limit));
        let health = if share > self.unhealthy {
            Health::unhealthy(message())
        } else if share > self.degraded {
            Health::degraded(message())
        } else {
            Health::healthy()
        };
        health.with_details(json!({
            "used_bytes": usage.used,
            "limit_bytes": usage.limit,
            "used_share": share,
        }))
    }
}

/// In bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Usage {
    used: u64,
    limit: u64,
}

/// How a version of cgroups names things.
struct Names {
    limit: &'static str,
    used: &'static str,
    cache: &'static str,
}

const V2: Names = Names { limit: "memory.max", used: "memory.current", cache: "inactive_file" };
const V1: Names =
    Names { limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes", cache: "total_inactive_file" };

/// v1 writes a number of this size for no limit.
const NO_LIMIT: u64 = 1 << 62;

impl Usage {
    fn read(root: &Path) -> io::Result<Self> {
        let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
        let mount = root.join("sys/fs/cgroup");
        let usages = groups.lines().filter_map(|line| {
            // `0::/path` for v2, `4:memory:/path` for v1.
            let mut parts = line.splitn(3, ':');
            let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
            if controllers.is_empty() {
                Self::tightest(&mount, path, &V2)
            } else if controllers.split(',').any(|controller| controller == "memory") {
                Self::tightest(&mount.join("memory"), path, &V1)
            } else {
                None
            }
        });
        match usages.max_by(|a, b| a.share().total_cmp(&b.share())) {
            Some(usage) => Ok(usage),
            None => Self::of_machine(&fs::read_to_string(root.join("proc/meminfo"))?),
        }
    }

    /// The group and those above it. Within a container the path may be the host's and lead nowhere; the
    /// mount itself is the container's group then.
    fn tightest(mount: &Path, path: &str, names: &Names) -> Option<Self> {
        let group = Path::new(path.trim_start_matches('/'));
        let usages = group.ancestors().filter_map(|group| Self::of_group(&mount.join(group), names));
        usages.max_by(|a, b| a.share().total_cmp(&b.share()))
    }

    /// None if there is no such group or it has no limit.
    fn of_group(group: &Path, names: &Names) -> Option<Self> {
        let number = |name: &str| fs::read_to_string(group.join(name)).ok()?.trim().parse::<u64>().ok();
        let limit = number(names.limit).filter(|limit| *limit < NO_LIMIT)?;
        let stat = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
        let cache = field(&stat, names.cache).unwrap_or(0);
        Some(Self { used: number(names.used)?.saturating_sub(cache), limit })
    }

    fn of_machine(meminfo: &str) -> io::Result<Self> {
        let kibibytes = |name| {
            let missing = || io::Error::other(format!("/proc/meminfo has no {name}"));
            field(meminfo, name).map(|number| number.saturating_mul(1024)).ok_or_else(missing)
        };
        let limit = kibibytes("MemTotal:")?;
        Ok(Self { used: limit.saturating_sub(kibibytes("MemAvailable:")?), limit })
    }

    /// A limit of nothing is used up.
    fn share(self) -> f64 {
        if self.limit == 0 { 1.0 } else { self.used as f64 / self.limit as f64 }
    }
}

/// The number that follows the name at the beginning of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(char::is_whitespace))?;
    value.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests;
