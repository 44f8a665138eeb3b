//! What stands around every page: the way from page to page, signing in, light and dark, help, and what viewers are not offered.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::browser::{Browser, Size, Theme, named};
use insighthub_chaos_tests::dashboard::{self, PAGES};
use insighthub_chaos_tests::demo_cluster::{ADMIN, DemoCluster, Login, Past, VIEWER};
use insighthub_chaos_tests::shared_start::Checks;
use serde_json::json;

const WITHIN: Duration = Duration::from_secs(60);
/// Titles of the pages, in the order of the navigation, and the letter behind `g` that leads there.
const TITLES: [(&str, Option<&str>); 8] = [
    ("Home", Some("h")),
    ("Live", Some("l")),
    ("Explore", Some("e")),
    ("Analytics", Some("a")),
    ("Alerts", Some("r")),
    ("Dead letters", None),
    ("Cluster", None),
    ("Admin", None),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_frame_leads_everywhere_and_knows_who_is_there() -> Result<()> {
    let demo = DemoCluster::start(Past::SHORT).await?;
    let (browser, url) = (Browser::start().await?, demo.url()?);
    let (browser, url) = (&browser, url.as_str());
    let mut checks = Checks::default();
    checks.check("links lead to every page, and back and forward too", links(browser, url)).await;
    checks.check("`g` and a letter lead to a page, but not while one types", keys(browser, url)).await;
    checks.check("help opens, names the keys and closes by Escape", help(browser, url)).await;
    checks.check("a wrong password is refused and said to be", wrong_password(browser, url)).await;
    checks.check("an admin signs in and out", signs_in_and_out(browser, url, ADMIN)).await;
    checks.check("a viewer signs in and out", signs_in_and_out(browser, url, VIEWER)).await;
    checks.check("light and dark follow the system until one is chosen", themes(browser, url)).await;
    checks
        .check(
            "on a phone the pages are in a drawer, and nothing is wider than the screen",
            phone(browser, url),
        )
        .await;
    checks
        .check("a page whose code broke down says so, and a reload mends it", breakdown(browser, url))
        .await;
    checks.check("no request left the node", async { browser.ensure_asked_only(url).await.map(drop) }).await;
    checks.finish()
}

async fn links(browser: &Browser, url: &str) -> Result<()> {
    browser.open(url).await?;
    for (title, _) in TITLES.iter().rev() {
        browser.click(named("link", title).inside("nav")).await?;
        arrives(browser, title).await?;
    }
    browser.run("history.back();", &[]).await?;
    arrives(browser, "Live").await?;
    browser.run("history.forward();", &[]).await?;
    arrives(browser, "Home").await
}

async fn arrives(browser: &Browser, title: &str) -> Result<()> {
    let is_there = "document.title.startsWith(arguments[0]) && document.querySelector('main h1') && \
        document.querySelector('nav [aria-current=\"page\"]')?.textContent.trim() === arguments[0]";
    browser.wait_for(is_there, &[json!(title)], WITHIN).await
}

async fn keys(browser: &Browser, url: &str) -> Result<()> {
    browser.open(url).await?;
    arrives(browser, "Home").await?;
    for (title, key) in TITLES {
        let Some(key) = key else { continue };
        browser.press(&["g", key]).await?;
        arrives(browser, title).await.with_context(|| format!("g {key}"))?;
    }
    browser.press(&["g", "l"]).await?;
    arrives(browser, "Live").await?;
    browser.press(&["/"]).await?;
    browser.press(&["g", "e"]).await?;
    browser.wait_for("document.activeElement.value === 'ge'", &[], WITHIN).await?;
    arrives(browser, "Live").await
}

async fn help(browser: &Browser, url: &str) -> Result<()> {
    browser.open(url).await?;
    arrives(browser, "Home").await?;
    browser.press(&["?"]).await?;
    browser.wait_for_text("dialog[open]", "Pause or resume the live list").await?;
    browser.press(&["Escape"]).await?;
    browser.wait_until_gone("dialog[open]").await?;
    browser.click(named("button", "Keyboard shortcuts")).await?;
    browser.click(named("button", "Close").inside("dialog")).await?;
    browser.wait_until_gone("dialog[open]").await
}

async fn wrong_password(browser: &Browser, url: &str) -> Result<()> {
    browser.open(url).await?;
    browser.click(named("button", "Sign in")).await?;
    browser.fill(named("textbox", "User").inside("dialog"), VIEWER.user).await?;
    browser.fill(named("textbox", "Password").inside("dialog"), "not hers").await?;
    browser.click(named("button", "Sign in").inside("dialog")).await?;
    browser.wait_for_element("dialog [role=alert]").await?;
    browser.click(named("button", "Cancel").inside("dialog")).await?;
    browser.wait_until_gone("dialog[open]").await?;
    // The refused download is on the console, and meant to be.
    drop(browser.console_errors().await?);
    Ok(())
}

async fn signs_in_and_out(browser: &Browser, url: &str, login: Login<'_>) -> Result<()> {
    browser.open(url).await?;
    dashboard::sign_in(browser, login).await?;
    // Still so on a page that is loaded anew.
    browser.open(&format!("{url}/cluster")).await?;
    browser.wait_for_text(".top-line .user", login.user).await?;
    browser.click(named("button", "Sign out")).await?;
    browser.wait_until_gone(".top-line .user").await?;
    let errors = browser.console_errors().await?;
    ensure!(errors.is_empty(), "errors on the console: {errors:#?}");
    Ok(())
}

async fn themes(browser: &Browser, url: &str) -> Result<()> {
    browser.open(url).await?;
    arrives(browser, "Home").await?;
    let is_dark = "(([r, g, b]) => r + g + b < 300)(getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number))";
    let is_light = format!("!{is_dark}");
    browser.set_theme(Theme::Dark).await?;
    browser.wait_for(is_dark, &[], WITHIN).await?;
    browser.set_theme(Theme::Light).await?;
    browser.wait_for(&is_light, &[], WITHIN).await?;
    browser.click(named("button", "Switch between light and dark")).await?;
    browser.wait_for(is_dark, &[], WITHIN).await?;
    browser.open(&format!("{url}/cluster")).await?;
    browser.wait_for(is_dark, &[], WITHIN).await.context("a choice is kept")?;
    browser.run("localStorage.clear();", &[]).await.map(drop)
}

async fn phone(browser: &Browser, url: &str) -> Result<()> {
    browser.set_size(Size::PHONE).await?;
    for page in PAGES {
        page.open(browser, url).await?;
        let widths = browser.run("return [document.documentElement.scrollWidth, innerWidth];", &[]).await?;
        let [content, screen]: [u32; 2] = serde_json::from_value(widths)?;
        ensure!(content <= screen, "{} is {content} pixels wide on a screen of {screen}", page.name);
    }
    browser.click(named("button", "Pages")).await?;
    browser.click(named("link", "Cluster").inside("nav")).await?;
    arrives(browser, "Cluster").await?;
    browser.wait_until_gone(".side.open").await?;
    browser.set_size(Size::DESKTOP).await
}

/// The code is made to stop as a panic stops it: by asking it for memory that cannot be.
async fn breakdown(browser: &Browser, url: &str) -> Result<()> {
    browser.open(&format!("{url}/cluster")).await?;
    arrives(browser, "Cluster").await?;
    let stop = "import(document.querySelector('link[rel=modulepreload]').href).then((module) => module.default()) \
        .then((code) => setTimeout(() => code.__wbindgen_malloc(-1, 3)));";
    browser.run(stop, &[]).await?;
    browser.wait_for_text("dialog[open][role=alertdialog]", "The dashboard broke down").await?;
    // Not something that one clicks away and goes on working in what is dead.
    browser.press(&["Escape"]).await?;
    browser.wait_for_text("dialog[open][role=alertdialog]", "Reload the page to go on").await?;
    browser.click(named("button", "Reload the page").inside("dialog")).await?;
    arrives(browser, "Cluster").await?;
    browser.wait_until_gone("#breakdown").await?;
    let errors = browser.console_errors().await?;
    ensure!(
        errors.iter().any(|error| error.contains("unreachable")),
        "the fault is not on the console: {errors:#?}"
    );
    Ok(())
}
