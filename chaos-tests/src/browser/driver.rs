//! chromedriver as a process, and the one session it holds: the browser itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

const BROWSER: &str = "/usr/bin/chromium";
const DRIVER: &str = "/usr/bin/chromedriver";
const INSTALL: &str = "apt-get install --no-install-recommends chromium chromium-driver";
/// chromedriver says where it listens in a line with this.
const STARTED_LINE: &str = "started successfully on port ";
/// Starting a browser on a busy machine takes its time.
const COMMAND_WITHIN: Duration = Duration::from_secs(60);
/// Headless, on its own, and quiet on the network: no name but this machine's can be looked up.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1440,900",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

/// A driver with a session. Dropped, driver and browser are gone.
#[derive(Debug)]
pub(super) struct Driver {
    process: Child,
    address: SocketAddr,
    http: reqwest::Client,
    session: String,
    /// The browser's profile; new for each browser, gone with it.
    profile: TempDir,
}

impl Driver {
    /// With the logs of these kinds, each at its level.
    pub(super) async fn start(logs: &Value) -> Result<Driver> {
        for program in [BROWSER, DRIVER] {
            ensure!(Path::new(program).exists(), "{program} is missing; install it with: {INSTALL}");
        }
        let profile = tempfile::tempdir()?;
        let (process, address) = start_process()?;
        let http = reqwest::Client::builder().timeout(COMMAND_WITHIN).build()?;
        let mut driver = Driver { process, address, http, session: String::new(), profile };
        let mut flags: Vec<String> = FLAGS.map(str::to_owned).to_vec();
        flags.push(format!("--user-data-dir={}", driver.profile.path().display()));
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "binary": BROWSER, "args": flags },
            "goog:loggingPrefs": logs,
        } } });
        let created = driver.send(driver.http.post(driver.url("/session")).json(&capabilities)).await?;
        let session = created.get("sessionId").and_then(Value::as_str).context("no session was made")?;
        driver.session = session.to_owned();
        Ok(driver)
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let url = self.url(&format!("/session/{}{path}", self.session));
        self.send(self.http.post(url).json(body)).await.with_context(|| format!("{path} {body}"))
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        let url = self.url(&format!("/session/{}{path}", self.session));
        self.send(self.http.get(url)).await.with_context(|| path.to_owned())
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value> {
        let answer: Value = request.send().await?.json().await?;
        let value = answer.get("value").cloned().unwrap_or_default();
        if let Some(error) = value.get("error").and_then(Value::as_str) {
            let message = value.get("message").and_then(Value::as_str).unwrap_or_default();
            bail!("the browser answers {error}: {}", message.lines().next().unwrap_or_default());
        }
        Ok(value)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Ends the session, which closes the browser: killing the driver alone would leave it running.
    fn close(&self) -> Result<()> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(COMMAND_WITHIN))?;
        write!(
            stream,
            "DELETE /session/{} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            self.session, self.address
        )?;
        // The answer comes when the browser is gone; the driver keeps the connection open after it.
        let read = stream.read(&mut [0; 64])?;
        ensure!(read > 0, "the driver hung up");
        Ok(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if !self.session.is_empty()
            && let Err(error) = self.close()
        {
            println!("the browser may still run: {error}");
        }
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Starts chromedriver on a free port.
fn start_process() -> Result<(Child, SocketAddr)> {
    let mut driver = Command::new(DRIVER)
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("chromedriver cannot be started")?;
    let stdout = driver.stdout.take().context("chromedriver has no stdout")?;
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        if let Some((_, port)) = line.split_once(STARTED_LINE) {
            let port = port.trim_end_matches('.').parse().with_context(|| line.clone())?;
            return Ok((driver, SocketAddr::from(([127, 0, 0, 1], port))));
        }
    }
    driver.kill()?;
    driver.wait()?;
    bail!("chromedriver ended without saying where it listens")
}
