//! How each kind of client is started in a folder of its own, with its configuration and its records.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::process::{Child, Command};

use super::client::Program;
use super::journal;
use super::sent::Sent;
use super::tools::Tools;
use crate::binary::workspace;
use crate::deadline::wait_until;

/// Daemons make their sockets at once; a machine under load takes its time.
const SOCKET_WITHIN: Duration = Duration::from_secs(20);
/// Where programs on the machine log to, in the client's folder.
const SOCKET: &str = "log";

/// What runs for a client.
#[derive(Debug)]
pub(super) struct Programs {
    /// Ends by itself once everything was given to the client.
    pub(super) sender: Child,
    /// Goes on until it is stopped.
    pub(super) daemon: Option<Child>,
}

/// All that a start needs.
#[derive(Debug)]
pub(super) struct Start<'a> {
    pub(super) tools: &'a Tools,
    pub(super) folder: &'a Path,
    /// The block of the documentation.
    pub(super) block: &'a str,
    pub(super) service: &'a str,
    pub(super) sent: &'a [Sent],
    /// What is waited after every few records.
    pub(super) pause: Duration,
}

impl Start<'_> {
    pub(super) async fn run(&self, program: Program) -> Result<Programs> {
        match program {
            Program::Python(script) => self.python(script),
            Program::JavaScript(script) => self.javascript(script),
            Program::Rsyslog => self.rsyslog().await,
            Program::SyslogNg => self.syslog_ng().await,
            Program::Shell => self.shell(),
            Program::Journal => journal::start(self).await,
        }
    }

    fn python(&self, script: &str) -> Result<Programs> {
        self.write("setup.py", self.block)?;
        self.alone(self.python_script(script)?)
    }

    fn python_script(&self, script: &str) -> Result<Command> {
        self.records_for("python", "py")?;
        let mut command = Command::new(self.tools.python());
        command.arg(script).env("PYTHONDONTWRITEBYTECODE", "1");
        Ok(command)
    }

    fn javascript(&self, script: &str) -> Result<Programs> {
        self.records_for("javascript", "mjs")?;
        self.write("setup.mjs", self.block)?;
        // Modules are looked for beside the file that names them.
        std::os::unix::fs::symlink(self.tools.node_modules(), self.folder.join("node_modules"))?;
        let mut command = Command::new("node");
        command.arg(script);
        self.alone(command)
    }

    async fn rsyslog(&self) -> Result<Programs> {
        let folder = self.folder.display();
        let around = format!(
            "global(workDirectory=\"{folder}\")\nmodule(load=\"imuxsock\" SysSock.Use=\"off\")\n\
             input(type=\"imuxsock\" Socket=\"{folder}/{SOCKET}\")\n{}\n",
            self.block
        );
        self.write("rsyslog.conf", &around)?;
        let mut command = self.tools.debian("usr/sbin/rsyslogd")?;
        command.args(["-n", "-f", "rsyslog.conf", "-i"]).arg(self.folder.join("pid"));
        command.arg("-M").arg(self.tools.libraries("usr/lib")?.join("rsyslog"));
        self.behind(command).await
    }

    async fn syslog_ng(&self) -> Result<Programs> {
        // The name that Debian's own configuration gives to what the machine logs.
        let source = format!("source s_src {{ unix-dgram(\"{}/{SOCKET}\"); }};", self.folder.display());
        self.write("syslog-ng.conf", &format!("@version: 3.38\n{source}\n{}\n", self.block))?;
        let mut command = self.tools.debian("usr/sbin/syslog-ng")?;
        command.args(["-F", "--no-caps", "-f", "syslog-ng.conf"]);
        for (flag, file) in [("-R", "persist"), ("-p", "pid"), ("-c", "control")] {
            command.arg(flag).arg(self.folder.join(file));
        }
        command.arg("--module-path").arg(self.tools.syslog_ng_modules()?);
        self.behind(command).await
    }

    /// A daemon, and a program that logs to it.
    async fn behind(&self, daemon: Command) -> Result<Programs> {
        let daemon = self.spawn(daemon, "daemon")?;
        let socket = self.folder.join(SOCKET);
        wait_until("the daemon has its socket", SOCKET_WITHIN, || async { socket.exists() })
            .await
            .with_context(|| self.output())?;
        let mut command = self.python_script("local_syslog.py")?;
        command.arg(self.service);
        let sender = self.spawn(command, "sender")?;
        Ok(Programs { sender, daemon: Some(daemon) })
    }

    fn shell(&self) -> Result<Programs> {
        self.records_for("python", "py")?;
        let feed = format!("\"{}\" lines.py | {}", self.tools.python().display(), self.block);
        // The unpacked program before the machine's own.
        let unpacked = self.tools.debian_root().join("usr/bin");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(unpacked).chain(std::env::split_paths(&path));
        let mut command = Command::new("sh");
        command.args(["-c", &feed]).env("PATH", std::env::join_paths(paths)?);
        self.alone(command)
    }

    fn alone(&self, command: Command) -> Result<Programs> {
        Ok(Programs { sender: self.spawn(command, "sender")?, daemon: None })
    }

    /// Starts a program in the client's folder, with its output in files there.
    pub(super) fn spawn(&self, mut command: Command, name: &str) -> Result<Child> {
        let file = |stream| std::fs::File::create(self.folder.join(format!("{name}.{stream}")));
        command
            .current_dir(self.folder)
            .env("PAUSE_MS", self.pause.as_millis().to_string())
            .stdin(Stdio::null())
            .stdout(file("stdout")?)
            .stderr(file("stderr")?)
            .kill_on_drop(true);
        command.spawn().with_context(|| format!("{:?} cannot be started", command.as_std().get_program()))
    }

    pub(super) fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.join(name);
        std::fs::write(&path, text).with_context(|| path.display().to_string())
    }

    /// The scripts of a language, and what they are to send.
    fn records_for(&self, language: &str, extension: &str) -> Result<()> {
        let scripts = workspace().join("chaos-tests/clients").join(language);
        for entry in std::fs::read_dir(&scripts).with_context(|| scripts.display().to_string())? {
            let path = entry?.path();
            if path.extension().is_some_and(|found| found == extension) {
                std::fs::copy(&path, self.folder.join(path.file_name().unwrap_or_default()))?;
            }
        }
        let lines: Vec<String> = self.sent.iter().map(Sent::line).collect();
        self.write("records.ndjson", &format!("{}\n", lines.join("\n")))
    }

    fn output(&self) -> String {
        output(self.folder)
    }
}

/// What the programs of a folder have printed.
pub(super) fn output(folder: &Path) -> String {
    let files = ["sender.stdout", "sender.stderr", "daemon.stdout", "daemon.stderr"];
    let texts = files.map(|name| std::fs::read(folder.join(name)).unwrap_or_default());
    String::from_utf8_lossy(&texts.concat()).trim().to_owned()
}
