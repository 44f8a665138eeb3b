//! A program that `up` has started: where its output goes, and how it ends.
//!
//! It has a process group of its own, so that Ctrl-C reaches it only through us, in order; and it gets
//! SIGTERM from the kernel if we die without a word.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::SyncSender;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

/// Lines of a log that explain why a program ended.
const LAST_LINES: usize = 15;

#[derive(Debug)]
pub(crate) struct NodeProcess {
    pub(crate) name: String,
    pub(crate) log: PathBuf,
    child: Child,
}

impl NodeProcess {
    /// Starts the program with its output in `log`. Each line of stdout also goes to `lines`, as long
    /// as somebody takes them.
    pub(crate) fn start(
        name: &str,
        program: &Path,
        arguments: &[String],
        log: PathBuf,
        lines: SyncSender<String>,
    ) -> Result<NodeProcess> {
        // The first lines hold the admin login: nobody else may read them.
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&log);
        let file = file.with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = dying_with_us(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file.try_clone()?)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stdout = child.stdout.take().context("the program has no stdout")?;
        std::thread::spawn(move || copy_lines(BufReader::new(stdout), file, &lines));
        Ok(NodeProcess { name: name.to_owned(), log, child })
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("cannot watch {}", self.name))
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends it at once.
    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
            && let Err(error) = kill_process(pid, signal)
        {
            // It has ended by itself; a child that is not yet waited for keeps its number.
            println!("    {}: {error}", self.name);
        }
    }

    /// The end of its log, to show why it ended.
    pub(crate) fn last_lines(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().rev().take(LAST_LINES).collect();
        lines.into_iter().rev().map(|line| format!("    {line}\n")).collect()
    }
}

/// The program, started through `setpriv` where there is one (all of Debian), which makes the kernel
/// end it with us.
fn dying_with_us(program: &Path) -> Command {
    let setpriv = Path::new("/usr/bin/setpriv");
    if !setpriv.exists() {
        return Command::new(program);
    }
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "TERM"]).arg(program);
    command
}

fn copy_lines(from: impl BufRead, mut log: File, lines: &SyncSender<String>) {
    let mut from = from;
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        // A full disk must not stop the node: the pipe is emptied all the same.
        drop(log.write_all(&line));
        // Nobody listens once the node is ready.
        drop(lines.try_send(String::from_utf8_lossy(&line).trim_end().to_owned()));
        line.clear();
    }
}
