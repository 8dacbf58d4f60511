//! Resident memory, as Linux tells it.

/// The resident memory of this process, in kB, once other threads have written what they have in hand.
pub(crate) fn resident() -> u64 {
    std::thread::sleep(std::time::Duration::from_secs(1));
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
