//! Patterns of messages on the Explore page: counted, held against another time, and what a marked stretch has that others lack.

use anyhow::{Result, ensure};
use insighthub_chaos_tests::browser::{Browser, Point, named};
use insighthub_chaos_tests::dashboard::{self, LOADED_WITHIN};
use insighthub_chaos_tests::demo_cluster::{DemoCluster, Past};
use insighthub_chaos_tests::shared_start::Checks;
use serde_json::json;

const ROWS: &str = "table.patterns tbody tr";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patterns_are_counted_and_compared() -> Result<()> {
    let demo = DemoCluster::start(Past::SHORT).await?;
    // Said by nobody before: what is new must name it.
    demo.post("lighthouse", "warn", &["the lamp went out and nobody was there"; 20]).await?;
    let (browser, url) = (Browser::start().await?, demo.url()?);
    let (browser, url) = (&browser, url.as_str());
    let mut checks = Checks::default();
    checks.check("patterns are listed with their counts", lists(browser, url)).await;
    checks.check("what is new since the time before is named", compares(browser, url)).await;
    checks.check("a marked stretch is held against the rest", is_different(browser, url)).await;
    checks.check("no request left the node", async { browser.ensure_asked_only(url).await.map(drop) }).await;
    checks.finish()
}

async fn open(browser: &Browser, url: &str, tab: &str) -> Result<()> {
    browser.open("about:blank").await?;
    browser.open(&format!("{url}/explore")).await?;
    browser.wait_for_element(".histogram-frame").await?;
    dashboard::settled(browser).await?;
    browser.click(named("tab", tab)).await
}

async fn lists(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "Patterns").await?;
    browser.wait_for_text(ROWS, "the lamp went out").await?;
    let rows = browser.texts(ROWS).await?;
    ensure!(rows.len() > 10, "only {} patterns", rows.len());
    let lamp = rows.iter().find(|row| row.contains("the lamp went out"));
    ensure!(lamp.is_some_and(|row| row.trim_start().starts_with("20")), "its count is not 20: {lamp:?}");
    Ok(())
}

async fn compares(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "Patterns").await?;
    browser.click(named("button", "Against another time")).await?;
    let is_new = "[...document.querySelectorAll(arguments[0])].some(row => row.innerText.includes('the lamp went out') && \
        row.querySelector('.change.new'))";
    browser.wait_for(is_new, &[json!(ROWS)], LOADED_WITHIN).await
}

async fn is_different(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "What is different").await?;
    browser.wait_for_element("[data-state=empty]").await?;
    // The last bars, in which the lamp went out.
    browser.drag(".histogram-frame", Point(0.9, 0.5), Point(0.995, 0.5)).await?;
    browser.click(named("button", "What is different here")).await?;
    browser.wait_for_text(".findings li", "lighthouse").await
}
