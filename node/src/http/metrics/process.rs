//! The process and what it runs on, by the names that Prometheus' own libraries give: as far as Linux says it.

use std::sync::atomic::Ordering;

use super::super::Node;
use super::page::{Kind, Page};

/// Of `/proc/self/stat`, which counts in them whatever the kernel's own clock is.
const TICKS_PER_SEC: f64 = 100.0;

pub(super) fn write(node: &Node, page: &mut Page) {
    let help = "1; which version runs, and as which node.";
    let labels = [("version", env!("CARGO_PKG_VERSION")), ("node", node.name.as_str())];
    page.family(Kind::Gauge, "insighthub_build_info", help).sample(&labels, 1.0);
    let free = node.disk_free_bytes.load(Ordering::Relaxed) as f64;
    page.gauge("insighthub_disk_free_bytes", "Free on the disk of the data directory.", free);
    if let Some(used) = std::fs::read_to_string("/proc/self/stat").ok().and_then(|text| Used::parse(&text)) {
        let family = &mut page.family(Kind::Counter, "process_cpu_seconds_total", "User and system time.");
        family.sample(&[], used.cpu_secs);
        page.gauge("process_resident_memory_bytes", "Memory in use.", used.resident_bytes);
        page.gauge("process_threads", "Threads.", used.threads);
        let boot = std::fs::read_to_string("/proc/stat").ok().and_then(|text| boot_secs(&text));
        if let Some(boot) = boot {
            let help = "When the process began, in seconds since 1970.";
            page.gauge("process_start_time_seconds", help, boot + used.started_after_boot_secs);
        }
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        page.gauge("process_open_fds", "Open file descriptors.", open.count() as f64);
    }
}

#[derive(Debug, PartialEq)]
struct Used {
    cpu_secs: f64,
    resident_bytes: f64,
    threads: f64,
    started_after_boot_secs: f64,
}

impl Used {
    fn parse(stat: &str) -> Option<Used> {
        // The name of the program may hold spaces; the last bracket ends it. What follows begins with field 3.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<f64> = rest.split_whitespace().map(|field| field.parse().unwrap_or(0.0)).collect();
        let field = |number: usize| fields.get(number - 3).copied();
        Some(Used {
            cpu_secs: (field(14)? + field(15)?) / TICKS_PER_SEC,
            threads: field(20)?,
            started_after_boot_secs: field(22)? / TICKS_PER_SEC,
            resident_bytes: field(24)? * rustix::param::page_size() as f64,
        })
    }
}

fn boot_secs(stat: &str) -> Option<f64> {
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_words_are_read() {
        let stat = "42 (a b) c) S 1 42 42 0 -1 4194560 900 0 0 0 250 50 0 0 20 0 7 0 12345 1000000 512 18446744073709551615";
        let used = Used::parse(stat).unwrap();
        assert_eq!((used.cpu_secs, used.threads, used.started_after_boot_secs), (3.0, 7.0, 123.45));
        assert_eq!(used.resident_bytes, 512.0 * rustix::param::page_size() as f64);
        assert_eq!(boot_secs("cpu 1 2\nbtime 1700000000\n"), Some(1_700_000_000.0));
    }
}
