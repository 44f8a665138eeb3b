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
    checks.check("each has its course beside it", courses(browser, url)).await;
    checks.check("what is new since the time before is named", compares(browser, url)).await;
    checks.check("the time before may be any, and is in the address", compares_with_any(browser, url)).await;
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

async fn courses(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "Patterns").await?;
    browser.wait_for_text(ROWS, "the lamp went out").await?;
    let script = "return [...document.querySelectorAll(arguments[0])].map(row => [row.innerText, \
        row.querySelector('.sparkline').getAttribute('aria-label'), row.querySelector('.sparkline path').getAttribute('d')]);";
    let rows: Vec<[String; 3]> = serde_json::from_value(browser.run(script, &[json!(ROWS)]).await?)?;
    let said: Vec<&String> = rows.iter().map(|[_, said, _]| said).collect();
    ensure!(said.iter().all(|said| said.starts_with("Records in each 1m: at most ")), "{said:#?}");
    ensure!(rows.iter().all(|[.., path]| path.matches('L').count() > 50), "a course has too few points");
    // All at one moment, or on two sides of a minute.
    let lamp = rows.iter().find(|[row, ..]| row.contains("the lamp went out"));
    ensure!(
        lamp.is_some_and(|[_, said, _]| said.contains("some in 1 of") || said.contains("some in 2 of")),
        "{lamp:?}"
    );
    Ok(())
}

async fn compares(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "Patterns").await?;
    browser.click(named("button", "Against another time")).await?;
    let is_new = "[...document.querySelectorAll(arguments[0])].some(row => row.innerText.includes('the lamp went out') && \
        row.querySelector('.change.new'))";
    browser.wait_for(is_new, &[json!(ROWS)], LOADED_WITHIN).await
}

async fn compares_with_any(browser: &Browser, url: &str) -> Result<()> {
    const OWN: &str = ".against .time-picker";
    open(browser, url, "Patterns").await?;
    browser.click(named("button", "Against another time")).await?;
    browser.select(".against select", "the same time yesterday").await?;
    address_says(browser, "against=day").await?;
    browser.select(".against select", "another time").await?;
    address_says(browser, "against_from=").await?;
    // By the key opens the page's own, not this one.
    browser.press(&["Escape"]).await?;
    browser.click(format!("{OWN} button").as_str()).await?;
    browser.fill(format!("{OWN} .popover form input[type=text]").as_str(), "3h").await?;
    browser.press(&["Enter"]).await?;
    address_says(browser, "against_from=-3h").await?;
    browser.wait_for_text(&format!("{OWN} button"), "Last 3 hours").await?;
    // That time holds the lamp as well, so it is not new, and its rate is a third.
    let lamp = "[...document.querySelectorAll(arguments[0])].some(row => row.innerText.includes('the lamp went out') && \
        row.querySelector('.change.grown'))";
    browser.wait_for(lamp, &[json!(ROWS)], LOADED_WITHIN).await?;
    let address = browser.run("return location.search;", &[]).await?;
    browser.open("about:blank").await?;
    browser.open(&format!("{url}/explore{}", address.as_str().unwrap_or_default())).await?;
    browser.wait_for(lamp, &[json!(ROWS)], LOADED_WITHIN).await?;
    browser.click(named("button", "All patterns")).await?;
    browser.wait_for("!location.search.includes('against')", &[], LOADED_WITHIN).await?;
    browser.wait_for_element(".patterns .sparkline").await
}

async fn address_says(browser: &Browser, text: &str) -> Result<()> {
    browser.wait_for("location.search.includes(arguments[0])", &[json!(text)], LOADED_WITHIN).await
}

async fn is_different(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "What is different").await?;
    browser.wait_for_element("[data-state=empty]").await?;
    // The last bars, in which the lamp went out.
    browser.drag(".histogram-frame", Point(0.9, 0.5), Point(0.995, 0.5)).await?;
    browser.click(named("button", "What is different here")).await?;
    browser.wait_for_text(".findings li", "lighthouse").await
}
