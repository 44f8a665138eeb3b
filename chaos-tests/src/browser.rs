//! A real headless browser, driven through chromedriver's HTTP interface (W3C WebDriver).
//!
//! Knows nothing of the dashboard: addresses, selectors and scripts come from the tests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::deadline::wait_until;

const BROWSER: &str = "/usr/bin/chromium";
const DRIVER: &str = "/usr/bin/chromedriver";
const INSTALL: &str = "apt-get install --no-install-recommends chromium chromium-driver";
/// chromedriver says where it listens in a line with this.
const STARTED_LINE: &str = "started successfully on port ";
/// Starting a browser on a busy machine takes its time.
const COMMAND_WITHIN: Duration = Duration::from_secs(60);
/// Headless, on its own, and quiet on the network.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1440,900",
];

/// A browser with one tab. Dropped, it is closed.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    address: SocketAddr,
    http: reqwest::Client,
    session: String,
    /// The browser's profile; new for each browser, gone with it.
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser with a fresh profile.
    pub async fn start() -> Result<Browser> {
        for program in [BROWSER, DRIVER] {
            ensure!(Path::new(program).exists(), "{program} is missing; install it with: {INSTALL}");
        }
        let profile = tempfile::tempdir()?;
        let (driver, address) = start_driver()?;
        let http = reqwest::Client::builder().timeout(COMMAND_WITHIN).build()?;
        let mut browser = Browser { driver, address, http, session: String::new(), _profile: profile };
        let mut flags: Vec<String> = FLAGS.map(str::to_owned).to_vec();
        flags.push(format!("--user-data-dir={}", browser._profile.path().display()));
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "binary": BROWSER, "args": flags },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let created = browser.send(browser.http.post(browser.url("/session")).json(&capabilities)).await?;
        let session = created.get("sessionId").and_then(Value::as_str).context("no session was made")?;
        browser.session = session.to_owned();
        Ok(browser)
    }

    pub async fn open(&self, address: &str) -> Result<()> {
        self.command("/url", &json!({ "url": address })).await.map(drop)
    }

    /// Runs a script in the page; `arguments` and `return` work as in a function body.
    pub async fn run(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        self.command("/execute/sync", &json!({ "script": script, "args": arguments })).await
    }

    /// Waits until the expression is true in the page; an error shows the page's text.
    pub async fn wait_for(&self, expression: &str, arguments: &[Value], within: Duration) -> Result<()> {
        let script = format!("return Boolean({expression});");
        let script = script.as_str();
        let is_true =
            || async move { self.run(script, arguments).await.is_ok_and(|value| value == json!(true)) };
        if let Err(error) = wait_until(expression, within, is_true).await {
            let text = self.run("return document.body.innerText;", &[]).await.unwrap_or_default();
            bail!("{error}; the page says: {}", text.as_str().unwrap_or_default());
        }
        Ok(())
    }

    /// Types into the element, key by key.
    pub async fn type_into(&self, selector: &str, text: &str) -> Result<()> {
        let element = self.find(selector).await?;
        self.command(&format!("/element/{element}/value"), &json!({ "text": text })).await.map(drop)
    }

    pub async fn click(&self, selector: &str) -> Result<()> {
        let element = self.find(selector).await?;
        self.command(&format!("/element/{element}/click"), &json!({})).await.map(drop)
    }

    /// Writes a picture of the page.
    pub async fn screenshot(&self, path: &Path) -> Result<()> {
        let url = self.url(&format!("/session/{}/screenshot", self.session));
        let picture = self.send(self.http.get(url)).await?;
        // The driver answers in base64; coreutils decode it, which saves a dependency.
        let mut decode = Command::new("base64")
            .arg("--decode")
            .stdin(Stdio::piped())
            .stdout(std::fs::File::create(path)?)
            .spawn()
            .context("base64 of coreutils")?;
        let mut input = decode.stdin.take().context("base64 takes no input")?;
        input.write_all(picture.as_str().unwrap_or_default().as_bytes())?;
        drop(input);
        ensure!(decode.wait()?.success(), "the picture could not be decoded");
        Ok(())
    }

    /// What the page wrote to the console as errors since the last call, failed downloads included.
    pub async fn console_errors(&self) -> Result<Vec<String>> {
        let entries = self.command("/se/log", &json!({ "type": "browser" })).await?;
        let is_error = |entry: &&Value| entry.get("level").is_some_and(|level| level == "SEVERE");
        let entries = entries.as_array().context("the log is no list")?;
        Ok(entries.iter().filter(is_error).map(Value::to_string).collect())
    }

    async fn find(&self, selector: &str) -> Result<String> {
        let found = self.command("/element", &json!({ "using": "css selector", "value": selector })).await?;
        let id = found.as_object().and_then(|found| found.values().next()).and_then(Value::as_str);
        id.map(str::to_owned).with_context(|| format!("nothing matches {selector}"))
    }

    async fn command(&self, path: &str, body: &Value) -> Result<Value> {
        let url = self.url(&format!("/session/{}{path}", self.session));
        self.send(self.http.post(url).json(body)).await.with_context(|| format!("{path} {body}"))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value> {
        let answer: Value = request.send().await?.json().await?;
        let value = answer.get("value").cloned().unwrap_or_default();
        if let Some(error) = value.get("error") {
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

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty()
            && let Err(error) = self.close()
        {
            println!("the browser may still run: {error}");
        }
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

/// Starts chromedriver on a free port.
fn start_driver() -> Result<(Child, SocketAddr)> {
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
