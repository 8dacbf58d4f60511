use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::Status;

/// A tree of files in the place of `/`.
struct Root(PathBuf);

impl Root {
    fn new(files: &[(&str, &str)]) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("bartizan-memory-{}-{number}", std::process::id()));
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(root)
    }

    fn usage(&self) -> Option<(u64, u64)> {
        Usage::read(&self.0).ok().map(|usage| (usage.used, usage.limit))
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const MEMINFO: (&str, &str) =
    ("proc/meminfo", "MemTotal:        1000 kB\nMemFree:  1 kB\nMemAvailable:     400 kB\n");

#[test]
fn version_2_counts_the_working_set() {
    let root = Root::new(&[
        ("proc/self/cgroup", "0::/\n"),
        ("sys/fs/cgroup/memory.max", "1000\n"),
        ("sys/fs/cgroup/memory.current", "900\n"),
        ("sys/fs/cgroup/memory.stat", "anon 500\ninactive_file 300\nactive_file 100\n"),
        MEMINFO,
    ]);
    assert_eq!(root.usage(), Some((600, 1000)));
}

#[test]
fn the_tightest_of_a_group_and_those_above_it_counts() {
    let root = Root::new(&[
        ("proc/self/cgroup", "0::/pod/app\n"),
        ("sys/fs/cgroup/pod/app/memory.max", "max\n"),
        ("sys/fs/cgroup/pod/app/memory.current", "100\n"),
        ("sys/fs/cgroup/pod/memory.max", "1000\n"),
        ("sys/fs/cgroup/pod/memory.current", "900\n"),
        ("sys/fs/cgroup/memory.max", "9000\n"),
        ("sys/fs/cgroup/memory.current", "1000\n"),
    ]);
    assert_eq!(root.usage(), Some((900, 1000)));
}

#[test]
fn version_1_has_its_own_names_and_a_path_of_the_host_is_left_aside() {
    let root = Root::new(&[
        ("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/docker/0123\n0::/\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000\n"),
        ("sys/fs/cgroup/memory/memory.usage_in_bytes", "960\n"),
        ("sys/fs/cgroup/memory/memory.stat", "inactive_file 900\ntotal_inactive_file 10\n"),
    ]);
    assert_eq!(root.usage(), Some((950, 1000)));
}

#[test]
fn without_a_limit_it_is_the_machine_s_memory() {
    let unlimited = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    let root = Root::new(&[("proc/self/cgroup", "4:memory:/\n"), unlimited, MEMINFO]);
    assert_eq!(root.usage(), Some((600 * 1024, 1000 * 1024)));
    assert_eq!(Root::new(&[MEMINFO]).usage(), Some((600 * 1024, 1000 * 1024)));
}

#[test]
fn nonsense_is_no_measure() {
    assert_eq!(Root::new(&[("proc/meminfo", "MemTotal: x kB\n")]).usage(), None);
    assert_eq!(Root::new(&[("proc/self/cgroup", "::::\n:\n0::/../..\n\n")]).usage(), None);
}

#[tokio::test]
async fn limits_are_settings() {
    let root = Root::new(&[MEMINFO]);
    let check = MemoryCheck { root: root.0.clone(), ..MemoryCheck::new() };
    let health = check.check().await;
    assert_eq!((health.status, health.message), (Status::Healthy, None));
    let health = check.clone().degraded_above(0.5).check().await;
    assert_eq!(
        (health.status, health.message.as_deref()),
        (Status::Degraded, Some("600.0 KiB of 1000.0 KiB used"))
    );
    assert_eq!(check.unhealthy_above(0.5).check().await.status, Status::Unhealthy);
    let nowhere = MemoryCheck { root: "/no/such/root".into(), ..MemoryCheck::new() };
    assert_eq!(nowhere.check().await.status, Status::Degraded);
}

// R-HLT-6
#[cfg(target_os = "linux")]
#[tokio::test]
async fn it_measures_this_machine() {
    let details = MemoryCheck::new().check().await.details.unwrap();
    let (used, limit) = (details["used_bytes"].as_u64().unwrap(), details["limit_bytes"].as_u64().unwrap());
    assert!(used > 1 << 20 && used <= limit, "{details}");
}
