//! strace attached to a node, to make one of its system calls fail.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// An attached strace; dropped, it lets go.
#[derive(Debug)]
pub struct Strace {
    tracer: Child,
    trace: PathBuf,
}

impl Strace {
    pub fn is_possible() -> bool {
        let version = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    }

    /// Lets the n-th fdatasync of some thread fail, once. `None` where strace cannot be started.
    pub fn fail_one_sync(process: u32, nth: u32, trace: &Path) -> Option<Strace> {
        let tracer = Command::new("strace")
            .args(["-f", "-qq", "-e", "trace=fdatasync", "-e"])
            .arg(format!("inject=fdatasync:error=EIO:when={nth}"))
            .arg("-o")
            .arg(trace)
            .args(["-p", &process.to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Some(Strace { tracer: tracer.ok()?, trace: trace.to_owned() })
    }

    /// Whether a call failed because of us.
    pub fn has_injected(&self) -> bool {
        std::fs::read_to_string(&self.trace).is_ok_and(|text| text.contains("INJECTED"))
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        // It may have ended with the node.
        drop(self.tracer.kill());
        drop(self.tracer.wait());
    }
}
