//! One node as a real process: start, kill, stop, pause, restart on the same port and data.
//!
//! Alone or as one node of a cluster; knows nothing of the other nodes.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::api::Api;
use crate::binary::binary;
use crate::deadline::wait_until;

/// A node that is not ready by then is broken, on any machine.
pub const READY_WITHIN: Duration = Duration::from_secs(30);
const LISTENING_LINE: &str = "listening on ";
const PASSWORD_LINE: &str = "admin login: user admin, password ";

/// What a node is started as.
#[derive(Debug, Clone)]
pub enum Role {
    /// A cluster of one with the development profile, on a free port.
    Alone,
    /// The node of this name in a configuration file, which says where it listens.
    Named { config: PathBuf, name: String },
}

/// How to start a node.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    pub binary: PathBuf,
    pub role: Role,
    /// Words before the binary, such as `ip netns exec NAME`; the program they name must replace itself
    /// by the binary, or a kill would hit the wrong process.
    pub wrapper: Vec<String>,
    /// Where the node stores; given to it as `--data`.
    pub data: PathBuf,
    /// Where its output goes: not on a disk that is cut off.
    pub output: PathBuf,
    pub environment: Vec<(String, String)>,
}

impl NodeOptions {
    /// A node in a directory of its own.
    pub fn in_directory(directory: &Path) -> Result<NodeOptions> {
        Ok(NodeOptions {
            binary: binary()?,
            role: Role::Alone,
            wrapper: Vec::new(),
            data: directory.join("data"),
            output: directory.to_owned(),
            environment: Vec::new(),
        })
    }

    /// The smallest heads and logs a node allows: blocks are written, snapshots taken and the log cut
    /// all the time, so that a fault falls into them.
    #[must_use]
    pub fn sealing_all_the_time(mut self) -> NodeOptions {
        for (name, value) in [
            ("INSIGHTHUB_STORAGE__HEAD_RECORDS_MAX", "1000"),
            ("INSIGHTHUB_STORAGE__HEAD_BYTES_MAX", "1048576"),
            ("INSIGHTHUB_STORAGE__WAL_SEGMENT_BYTES", "1048576"),
            ("INSIGHTHUB_STORAGE__WAL_BYTES_MAX", "4194304"),
        ] {
            self.environment.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// A running (or killed) node. Dropped, it is killed.
#[derive(Debug)]
pub struct NodeProcess {
    options: NodeOptions,
    child: Child,
    address: SocketAddr,
    /// `http`, or `https` where its configuration names a certificate.
    scheme: String,
    admin_password: Option<String>,
    starts: u32,
}

impl NodeProcess {
    /// Starts a node on a free port and waits until it is ready.
    pub async fn start(options: NodeOptions) -> Result<NodeProcess> {
        let mut node = NodeProcess::launch(options, SocketAddr::from(([127, 0, 0, 1], 0)))?;
        node.wait_until_ready(READY_WITHIN).await?;
        Ok(node)
    }

    /// Starts a node and waits for nothing: one of several needs the others to become ready.
    pub fn launch(options: NodeOptions, http: SocketAddr) -> Result<NodeProcess> {
        let child = spawn(&options, http, 1)?;
        Ok(NodeProcess {
            options,
            child,
            address: http,
            scheme: "http".to_owned(),
            admin_password: None,
            starts: 1,
        })
    }

    /// Starts it again on the same port; says how long it took until it was ready.
    pub async fn restart(&mut self) -> Result<Duration> {
        let started = Instant::now();
        self.launch_again()?;
        self.wait_until_ready(READY_WITHIN).await?;
        Ok(started.elapsed())
    }

    /// Starts it again on the same port and waits for nothing.
    pub fn launch_again(&mut self) -> Result<()> {
        self.starts += 1;
        self.child = spawn(&self.options, self.address, self.starts)?;
        Ok(())
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// For the next start: what it is started with.
    pub fn options_mut(&mut self) -> &mut NodeOptions {
        &mut self.options
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// The password of its first start.
    pub fn admin_password(&self) -> Result<&str> {
        self.admin_password.as_deref().context("no `admin login:` line was printed at the first start")
    }

    pub fn api(&self) -> Result<Api> {
        Api::new(&self.url())
    }

    /// An API client signed in as admin.
    pub fn admin_api(&self) -> Result<Api> {
        Ok(Api::new(&self.url())?.signed_in("admin", self.admin_password()?))
    }

    /// kill -9, and waits until the process is gone.
    pub fn kill_nine(&mut self) -> Result<()> {
        self.child.kill().context("kill -9")?;
        self.child.wait().context("waiting for the killed node")?;
        Ok(())
    }

    /// SIGSTOP: the process runs no further instruction.
    pub fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// SIGTERM, and waits for the end.
    pub async fn stop_gracefully(&mut self, within: Duration) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if started.elapsed() > within {
                bail!("the node did not stop within {within:?} of SIGTERM");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lines of its output, of every start, that someone would have to look at: panics and errors.
    pub fn complaints(&self) -> Result<Vec<String>> {
        let mut complaints = Vec::new();
        for start in 1..=self.starts {
            for stream in ["stdout", "stderr"] {
                let path = output_file(&self.options.output, stream, start);
                let text = std::fs::read(&path).with_context(|| path.display().to_string())?;
                let text = String::from_utf8_lossy(&text).into_owned();
                complaints.extend(text.lines().filter(|line| is_complaint(line)).map(str::to_owned));
            }
        }
        Ok(complaints)
    }

    /// Everything the last start printed, for the message of a failed test.
    pub fn last_output(&self) -> String {
        let streams = ["stdout", "stderr"].map(|stream| {
            std::fs::read(output_file(&self.options.output, stream, self.starts)).unwrap_or_default()
        });
        String::from_utf8_lossy(&streams.concat()).into_owned()
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        kill_process(pid, signal).with_context(|| format!("sending {signal:?}"))
    }

    /// Waits until it says where it listens.
    pub async fn wait_until_listening(&mut self, within: Duration) -> Result<()> {
        let started = Instant::now();
        while !self.read_first_lines()? {
            if let Some(status) = self.child.try_wait()? {
                bail!("the node ended with {status} before it was ready: {}", self.last_output());
            }
            if started.elapsed() > within {
                bail!("no `{LISTENING_LINE}` within {within:?}: {}", self.last_output());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    pub async fn wait_until_ready(&mut self, within: Duration) -> Result<()> {
        self.wait_until_listening(within).await?;
        let api = self.api()?;
        let ready = || async { api.get("/readyz", &[]).await.is_ok_and(|answer| answer.status == 200) };
        wait_until("/readyz answers 200", within, ready).await.with_context(|| self.last_output())
    }

    /// Takes address and password from its output; true once it listens.
    fn read_first_lines(&mut self) -> Result<bool> {
        let output = std::fs::read_to_string(output_file(&self.options.output, "stdout", self.starts))?;
        for line in output.lines() {
            if let Some(password) = line.strip_prefix(PASSWORD_LINE) {
                self.admin_password = Some(password.trim().to_owned());
            }
            // The end of the line must be there too: a file may be read while it is written.
            if let Some((scheme, address)) =
                line.strip_prefix(LISTENING_LINE).and_then(|url| url.split_once("://"))
                && output.ends_with('\n')
            {
                self.scheme = scheme.to_owned();
                self.address = address.trim().trim_end_matches('/').parse().context("listening address")?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        // It may be gone already; a paused process dies of SIGKILL as well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn spawn(options: &NodeOptions, http: SocketAddr, start: u32) -> Result<Child> {
    let file = |stream| File::create(output_file(&options.output, stream, start));
    let program = options.wrapper.first().map_or(options.binary.as_os_str(), |word| word.as_ref());
    let mut command = Command::new(program);
    if !options.wrapper.is_empty() {
        command.args(&options.wrapper[1..]).arg(&options.binary);
    }
    command.arg("serve");
    match &options.role {
        Role::Alone => command.args(["--dev", "--http", &http.to_string()]),
        Role::Named { config, name } => command.arg("--config").arg(config).args(["--node", name]),
    };
    command
        .arg("--data")
        .arg(&options.data)
        .envs(options.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(file("stdout")?)
        .stderr(file("stderr")?)
        .spawn()
        .with_context(|| format!("{} cannot be started", options.binary.display()))
}

fn output_file(directory: &Path, stream: &str, start: u32) -> PathBuf {
    directory.join(format!("{stream}-{start}.log"))
}

fn is_complaint(line: &str) -> bool {
    line.contains("panicked at") || line.contains(" ERROR ") || line.contains("\"level\":\"ERROR\"")
}
