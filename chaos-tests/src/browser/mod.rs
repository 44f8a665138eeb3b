//! A real headless browser, driven through chromedriver's HTTP interface (W3C WebDriver).
//!
//! Knows nothing of the dashboard: addresses, selectors and scripts come from the tests. What looks for an element waits
//! for it, as a person would.

mod actions;
mod driver;
mod elements;
mod keys;
mod requests;
mod screen;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use self::driver::Driver;
use crate::deadline::wait_until;

pub use self::actions::Point;
pub use self::elements::{Locator, named};
pub use self::screen::{Size, Theme};

/// A page may have to load and a loaded machine to draw it: longer than this is a fault.
const FOUND_WITHIN: Duration = Duration::from_secs(60);

/// A browser with one tab. Dropped, it is closed.
#[derive(Debug)]
pub struct Browser {
    driver: Driver,
}

impl Browser {
    /// Starts a browser with a fresh profile that keeps what the page writes to the console and asks for.
    pub async fn start() -> Result<Browser> {
        Ok(Browser { driver: Driver::start(&json!({ "browser": "ALL", "performance": "ALL" })).await? })
    }

    /// The same, without keeping requests: each message of a WebSocket would be kept too, which takes time and memory.
    pub async fn start_unwatched() -> Result<Browser> {
        Ok(Browser { driver: Driver::start(&json!({ "browser": "ALL" })).await? })
    }

    pub async fn open(&self, address: &str) -> Result<()> {
        self.driver.post("/url", &json!({ "url": address })).await.map(drop)
    }

    /// Runs a script in the page; `arguments` and `return` work as in a function body.
    pub async fn run(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        self.driver.post("/execute/sync", &json!({ "script": script, "args": arguments })).await
    }

    /// Runs a script and waits until it calls its last argument; what it gives to it is the result.
    pub async fn run_async(&self, script: &str, arguments: &[Value], within: Duration) -> Result<Value> {
        let within_ms = u64::try_from(within.as_millis())?;
        self.driver.post("/timeouts", &json!({ "script": within_ms })).await?;
        self.driver.post("/execute/async", &json!({ "script": script, "args": arguments })).await
    }

    /// Waits until the expression is true in the page; an error shows the page's text.
    pub async fn wait_for(&self, expression: &str, arguments: &[Value], within: Duration) -> Result<()> {
        let script = format!("return Boolean({expression});");
        let script = script.as_str();
        let is_true =
            || async move { self.run(script, arguments).await.is_ok_and(|value| value == json!(true)) };
        if let Err(error) = wait_until(expression, within, is_true).await {
            let text = self.run("return document.body.innerText;", &[]).await.unwrap_or_default();
            bail!("{error} {arguments:?}; the page says: {}", text.as_str().unwrap_or_default());
        }
        Ok(())
    }

    /// Waits until something that matches a CSS selector says a text.
    pub async fn wait_for_text(&self, selector: &str, text: &str) -> Result<()> {
        let says =
            "[...document.querySelectorAll(arguments[0])].some(it => it.innerText.includes(arguments[1]))";
        self.wait_for(says, &[json!(selector), json!(text)], FOUND_WITHIN).await
    }

    /// Waits until something matches a CSS selector.
    pub async fn wait_for_element(&self, selector: &str) -> Result<()> {
        self.wait_for("document.querySelector(arguments[0])", &[json!(selector)], FOUND_WITHIN).await
    }

    /// Waits until nothing matches a CSS selector.
    pub async fn wait_until_gone(&self, selector: &str) -> Result<()> {
        self.wait_for("!document.querySelector(arguments[0])", &[json!(selector)], FOUND_WITHIN).await
    }

    /// What the page wrote to the console as errors since the last call, failed downloads included.
    pub async fn console_errors(&self) -> Result<Vec<String>> {
        let entries = self.driver.post("/se/log", &json!({ "type": "browser" })).await?;
        let is_error = |entry: &&Value| entry.get("level").is_some_and(|level| level == "SEVERE");
        let entries = entries.as_array().context("the log is no list")?;
        Ok(entries.iter().filter(is_error).map(Value::to_string).collect())
    }

    /// A command of the browser's own protocol, the Chrome DevTools Protocol.
    pub async fn devtools(&self, command: &str, parameters: &Value) -> Result<Value> {
        self.driver.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).await
    }
}
