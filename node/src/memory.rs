//! How much memory there is, and what part of it is for columns that were read.

/// One part in so many of what the process may take.
const CACHE_SHARE: u64 = 16;
/// Below this the columns of one query push each other out.
const CACHE_BYTES_MIN: u64 = 32 << 20;
/// More has to be asked for: the rest of the machine is the page cache's, which holds blocks as well.
const CACHE_BYTES_MAX: u64 = 256 << 20;

/// The cache where the configuration says nothing.
pub(crate) fn cache_bytes() -> usize {
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limits = limits.iter().filter_map(|path| std::fs::read_to_string(path).ok());
    let limits = limits.filter_map(|text| text.trim().parse().ok());
    let machine = std::fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.and_then(|text| total_bytes(&text));
    share_of(limits.chain(machine).min())
}

fn share_of(memory: Option<u64>) -> usize {
    let share = memory.map_or(CACHE_BYTES_MIN, |bytes| bytes / CACHE_SHARE);
    usize::try_from(share.clamp(CACHE_BYTES_MIN, CACHE_BYTES_MAX)).unwrap_or(usize::MAX)
}

/// `MemTotal:       24105720 kB`
fn total_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_machine_keeps_a_small_cache() {
        assert_eq!(share_of(Some(1 << 30)), 64 << 20);
        assert_eq!(share_of(Some(128 << 20)), 32 << 20);
        assert_eq!(share_of(Some(u64::MAX)), 256 << 20);
        assert_eq!(share_of(None), 32 << 20);
        assert_eq!(total_bytes("MemTotal:       24105720 kB\nMemFree: 1 kB"), Some(24_105_720 << 10));
        assert_eq!(total_bytes("MemFree: 1 kB"), None);
    }
}
