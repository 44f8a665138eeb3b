//! Test programs that run next to each other. Tests of whole nodes wait for most of their time: for elections, for processes
//! that die and come back.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::failures::Failures;
use crate::step::{seconds, shown, target};

/// More would wait for each other on two cores, and be late where they count on being on time.
const AT_ONCE: usize = 2;

/// Builds the tests that a `cargo test` names and runs their programs, some at once. What a program prints is shown when it has
/// ended, in one piece.
pub(crate) fn run_at_once(tests: &mut Command) -> Result<()> {
    let shown = shown(tests);
    let programs = build(tests)?;
    let count = programs.len();
    ensure!(count > 0, "`{shown}` has no tests");
    let environment: Vec<(OsString, OsString)> =
        tests.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    let (waiting, told) = (Mutex::new(programs), Mutex::new(Told::default()));
    let work = || -> Result<()> {
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(program) = next else { return Ok(()) };
            let start = Instant::now();
            let (output, status) = program.run(&environment)?;
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            told.ended(&program, &output, status, start)?;
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    let told = told.into_inner().unwrap_or_else(PoisonError::into_inner);
    if told.failed.is_empty() {
        return Ok(());
    }
    bail!(
        "`{shown}`: {} of {count} failed: {}\n{}",
        told.failed.len(),
        told.failed.join(", "),
        told.failures.told()
    )
}

/// What the programs that have ended have said.
#[derive(Default)]
struct Told {
    failures: Failures,
    failed: Vec<String>,
}

impl Told {
    fn ended(&mut self, program: &Program, output: &[u8], status: ExitStatus, start: Instant) -> Result<()> {
        let mut screen = io::stdout().lock();
        writeln!(screen, "     {}: {status} after {}", program.name, seconds(start.elapsed()))?;
        screen.write_all(output)?;
        screen.flush()?;
        String::from_utf8_lossy(output).lines().for_each(|line| self.failures.see(line));
        if !status.success() {
            self.failed.push(program.name.clone());
        }
        Ok(())
    }
}

/// One file of tests, built.
struct Program {
    name: String,
    path: PathBuf,
    /// Of its crate, where cargo would run it.
    folder: PathBuf,
}

impl Program {
    /// What it prints on either way, in the order in which it does, and how it ends. By a file: a process that outlives its
    /// test would keep a pipe open.
    fn run(&self, environment: &[(OsString, OsString)]) -> Result<(Vec<u8>, ExitStatus)> {
        let folder = target().join("test-output");
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{}.log", self.name));
        let output = File::create(&path).with_context(|| path.display().to_string())?;
        let mut command = Command::new(&self.path);
        command.current_dir(&self.folder).envs(environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let status = command.status().with_context(|| format!("cannot start {}", self.path.display()))?;
        Ok((fs::read(&path)?, status))
    }
}

/// The programs of a `cargo test`, in the order of their names.
fn build(tests: &mut Command) -> Result<VecDeque<Program>> {
    tests.args(["--no-run", "--message-format=json-render-diagnostics"]).stderr(Stdio::inherit());
    let built = tests.output().with_context(|| shown(tests))?;
    ensure!(built.status.success(), "`{}` failed ({})", shown(tests), built.status);
    let messages = String::from_utf8_lossy(&built.stdout);
    let mut programs: Vec<Program> = messages.lines().filter_map(program).collect();
    programs.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(programs.into())
}

/// What a message of cargo says was built, if that is a file of tests.
fn program(message: &str) -> Option<Program> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_test = message["reason"] == "compiler-artifact" && message["profile"]["test"] == true;
    let path = message["executable"].as_str().filter(|_| is_test)?;
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?;
    let name = message["target"]["name"].as_str()?.to_owned();
    Some(Program { name, path: path.into(), folder: folder.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_among_what_cargo_built() {
        let test = r#"{"reason":"compiler-artifact","manifest_path":"/a/chaos-tests/Cargo.toml","target":{"name":"otlp"},"profile":{"test":true},"executable":"/a/target/otlp-1"}"#;
        let found = program(test).unwrap();
        assert_eq!((found.name.as_str(), found.path.as_path()), ("otlp", Path::new("/a/target/otlp-1")));
        assert_eq!(found.folder, Path::new("/a/chaos-tests"));
        for other in [
            r#"{"reason":"compiler-artifact","manifest_path":"/a/Cargo.toml","target":{"name":"x"},"profile":{"test":false},"executable":"/a/x"}"#,
            r#"{"reason":"compiler-artifact","manifest_path":"/a/Cargo.toml","target":{"name":"x"},"profile":{"test":true},"executable":null}"#,
            r#"{"reason":"build-finished","success":true}"#,
            "no message",
        ] {
            assert!(program(other).is_none(), "{other}");
        }
    }

    #[test]
    fn what_a_program_prints_and_how_it_ends_is_known() {
        let program = |name: &str, path: &str| Program {
            name: format!("{name}-of-{}", std::process::id()),
            path: path.into(),
            folder: std::env::temp_dir(),
        };
        let (output, status) = program("env", "/usr/bin/env").run(&[("SAID".into(), "yes".into())]).unwrap();
        assert!(status.success() && String::from_utf8_lossy(&output).lines().any(|line| line == "SAID=yes"));
        let (output, status) = program("false", "/bin/false").run(&[]).unwrap();
        assert_eq!((output.len(), status.success()), (0, false));
        assert!(program("none", "/no/such/program").run(&[]).is_err());
    }
}
