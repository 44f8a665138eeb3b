//! What the node's process has used so far, read from /proc: only where it runs on this machine.

use std::path::Path;

/// Ticks per second in /proc/PID/stat: the kernel's user interface fixes it at 100 on every architecture
/// this runs on.
const TICKS_PER_SEC: f64 = 100.0;
/// State `LISTEN` in /proc/net/tcp.
const LISTENING: &str = "0A";

/// A process on this machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServerProcess {
    pub(super) pid: u32,
}

impl ServerProcess {
    /// The process that listens on a port of this machine.
    pub(super) fn listening_on(port: u16) -> Option<ServerProcess> {
        let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
            .iter()
            .filter_map(|table| std::fs::read_to_string(table).ok())
            .flat_map(|table| listening_inodes(&table, port))
            .map(|inode| format!("socket:[{inode}]"))
            .collect();
        let processes = std::fs::read_dir("/proc").ok()?;
        processes
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
            .find(|pid| holds_socket(*pid, &sockets))
            .map(|pid| ServerProcess { pid })
    }

    /// The process that listens on `host:port`, where that is this machine.
    pub(super) fn behind(address: &str) -> Option<ServerProcess> {
        let (host, port) = address.rsplit_once(':')?;
        let is_here = matches!(host, "127.0.0.1" | "localhost" | "[::1]");
        is_here.then(|| ServerProcess::listening_on(port.parse().ok()?)).flatten()
    }

    /// Processor time of all its threads, s.
    pub(super) fn processor_secs(self) -> Option<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        ticks(&stat).map(|ticks| ticks as f64 / TICKS_PER_SEC)
    }

    /// The most memory it ever held, MiB.
    pub(super) fn peak_memory_mib(self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kib / 1_024.0)
    }
}

fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    let suffix = format!(":{port:04X}");
    let inode = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let is_ours = columns.get(1)?.ends_with(&suffix) && *columns.get(3)? == LISTENING;
        is_ours.then(|| columns.get(9).map(|inode| (*inode).to_owned())).flatten()
    };
    table.lines().skip(1).filter_map(inode).collect()
}

fn holds_socket(pid: u32, sockets: &[String]) -> bool {
    // A process of another user cannot be looked into; it is not the one then, as far as we can know.
    let Ok(descriptors) = std::fs::read_dir(Path::new("/proc").join(pid.to_string()).join("fd")) else {
        return false;
    };
    descriptors
        .filter_map(|descriptor| std::fs::read_link(descriptor.ok()?.path()).ok())
        .any(|target| target.to_str().is_some_and(|target| sockets.iter().any(|socket| socket == target)))
}

/// User and system ticks. The name in parentheses may hold spaces, so fields are counted after it.
fn ticks(stat: &str) -> Option<u64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(field(11)? + field(12)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_behind_a_port_is_found_and_measured() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let found = ServerProcess::listening_on(listener.local_addr().unwrap().port()).unwrap();
        assert_eq!(found.pid, std::process::id());
        assert!(found.processor_secs().is_some());
        assert!(found.peak_memory_mib().unwrap() > 1.0);
    }

    #[test]
    fn a_process_name_with_spaces_and_parentheses_does_not_confuse() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 4 0 100 0 0";
        assert_eq!(ticks(stat), Some(300));
    }
}
