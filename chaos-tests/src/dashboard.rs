//! What tests and pictures know of the dashboard as a whole: its pages, when one is loaded, and how one is let in.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::browser::{Browser, named};
use crate::demo_cluster::Login;

/// Loading WebAssembly that no cache holds, from a debug build, on a machine that also builds.
pub const LOADED_WITHIN: Duration = Duration::from_secs(60);
/// Parts of a page that still load carry this.
const LOADS: &str = r#"[aria-busy="true"], .boot"#;
/// What shows that something went wrong.
const TROUBLE: &str = r#"[data-state="error"], .failure"#;

/// A page, and how one knows that it shows what it is for.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// As pictures of it are called.
    pub name: &'static str,
    pub path: &'static str,
    /// Matches once there is something to see, on the demo cluster.
    pub shows: &'static str,
}

/// Every page, in the order of the navigation. A new one is a line here: pictures are then taken of it, and it is looked at for
/// obstacles.
pub const PAGES: [Page; 8] = [
    Page { name: "home", path: "/", shows: ".services tbody tr" },
    Page { name: "live", path: "/live", shows: ".list .row" },
    Page { name: "explore", path: "/explore?q=level:error", shows: ".list .row" },
    Page { name: "analytics", path: "/analytics", shows: ".analytics-charts svg" },
    Page { name: "alerts", path: "/alerts", shows: "table.incidents tbody tr" },
    Page { name: "dead-letters", path: "/dead-letters", shows: "table tbody tr" },
    Page { name: "cluster", path: "/cluster", shows: "main table tbody tr" },
    Page { name: "admin", path: "/admin", shows: "main h1" },
];

impl Page {
    /// Opens it and waits until it is loaded and still.
    pub async fn open(&self, browser: &Browser, node_url: &str) -> Result<()> {
        browser.open(&format!("{node_url}{}", self.path)).await?;
        browser
            .wait_for("document.querySelector(arguments[0])", &[json!(self.shows)], LOADED_WITHIN)
            .await
            .with_context(|| format!("page {}", self.name))?;
        settled(browser).await.with_context(|| format!("page {}", self.name))
    }
}

/// Waits until nothing on the page loads any more and nothing moves.
pub async fn settled(browser: &Browser) -> Result<()> {
    // What shows activity as long as the page is open never ends.
    let is_still = "document.fonts.status === 'loaded' && !document.querySelector(arguments[0]) && \
        !document.getAnimations().some(it => it.playState === 'running' && it.effect?.getComputedTiming().endTime !== Infinity)";
    browser.wait_for(is_still, &[json!(LOADS)], LOADED_WITHIN).await?;
    let drawn =
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(true)));";
    browser.run_async(drawn, &[], LOADED_WITHIN).await.map(drop)
}

/// Fails if the page shows that something went wrong, and says what.
pub async fn ensure_well(browser: &Browser) -> Result<()> {
    let troubles = browser.texts(TROUBLE).await?;
    ensure!(troubles.is_empty(), "the page shows trouble: {troubles:#?}");
    Ok(())
}

/// Lets the browser in without the page's own form: the next page that is opened is that user's.
pub async fn let_in(browser: &Browser, node_url: &str, login: Login<'_>) -> Result<()> {
    browser.open(node_url).await?;
    let script = "const [body, done] = arguments; \
        fetch('/api/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body }) \
        .then(answer => done(answer.status), error => done(String(error)));";
    let body = json!({ "user": login.user, "password": login.password }).to_string();
    let status = browser.run_async(script, &[json!(body)], LOADED_WITHIN).await?;
    ensure!(status == json!(200), "signing in as {} answers {status}", login.user);
    Ok(())
}

/// Signs in as a person does, by the page's form.
pub async fn sign_in(browser: &Browser, login: Login<'_>) -> Result<()> {
    browser.click(named("button", "Sign in")).await?;
    browser.fill(named("textbox", "User").inside("dialog"), login.user).await?;
    browser.fill(named("textbox", "Password").inside("dialog"), login.password).await?;
    browser.click(named("button", "Sign in").inside("dialog")).await?;
    browser.wait_for_text(".top-line .user", login.user).await
}
