//! One visible step: its name, what it runs, how long it took.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::failures::Failures;

/// The folder of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Where cargo builds, as an absolute path: what is built is run from elsewhere.
pub(crate) fn target() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// The debug build of the node.
pub(crate) fn node_binary() -> PathBuf {
    target().join("debug").join("insighthub")
}

/// The cargo that runs us, in the folder of the checkout.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Says what is going on, does it, and says how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("==> {name}");
    let start = Instant::now();
    let done = work();
    let elapsed = seconds(start.elapsed());
    match &done {
        Ok(_) => println!("    {name}: done in {elapsed}"),
        Err(_) => println!("    {name}: FAILED after {elapsed}{}", disk_trouble()),
    }
    done
}

/// Below this a linker or a node may well have failed for want of room, and seldom says so.
const DISK_FREE_BYTES_MIN: u64 = 2 << 30;

/// A word on the disk where it is nearly full.
fn disk_trouble() -> String {
    let Ok(disk) = rustix::fs::statvfs(root()) else { return String::new() };
    match disk.f_bavail.saturating_mul(disk.f_frsize) {
        free if free < DISK_FREE_BYTES_MIN => format!("; the disk has only {} MiB left", free >> 20),
        _ => String::new(),
    }
}

/// Runs a command to its end with its output on the screen.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.status().with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs tests to their end with their output on the screen; where some fail, what they said is in the error as well: at the end
/// of everything, where it is looked for.
pub(crate) fn run_tests(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{shown}`"))?;
    let mut failures = Failures::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            failures.see(&line);
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{shown}` failed ({status})\n{}", failures.told());
    }
    Ok(())
}

/// The command as one would type it in the checkout.
pub(crate) fn shown(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        let value = value.unwrap_or_default();
        words.push(format!("{}={}", name.to_string_lossy(), value.to_string_lossy()));
    }
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    words.push(program.to_string_lossy().into_owned());
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    let line = words.join(" ");
    match command.get_current_dir().filter(|folder| **folder != root()) {
        Some(folder) => {
            let folder = folder.strip_prefix(root()).unwrap_or(folder);
            format!("cd {} && {line}", folder.display())
        }
        None => line,
    }
}

pub(crate) fn seconds(elapsed: Duration) -> String {
    let total_secs = elapsed.as_secs();
    if total_secs >= 60 {
        format!("{} min {} s", total_secs / 60, total_secs % 60)
    } else {
        format!("{:.1} s", elapsed.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/somewhere/bin/cargo");
        command.args(["test", "-p", "x"]).env("A", "1").current_dir(root().join("ui"));
        assert_eq!(shown(&command), "cd ui && A=1 cargo test -p x");
    }

    #[test]
    fn long_times_are_shown_in_minutes() {
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 5 s");
        assert_eq!(seconds(Duration::from_millis(1_250)), "1.2 s");
    }
}
