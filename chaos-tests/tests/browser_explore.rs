//! What one does on the Explore page: zoom into the bars, want or not want a value, look around a record.

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::browser::{Browser, Point, named};
use insighthub_chaos_tests::dashboard::{self, LOADED_WITHIN};
use insighthub_chaos_tests::demo_cluster::{DemoCluster, FAILING_SERVICE, Past};
use insighthub_chaos_tests::shared_start::Checks;
use serde_json::json;

const ROWS: &str = ".list .row";
const BARS: &str = ".histogram-frame";
/// How many records the bars stand for.
const TOTAL: &str = "Number(document.querySelector('.histogram-head b').textContent.replaceAll(',', ''))";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stored_records_are_looked_into_from_every_side() -> Result<()> {
    let demo = DemoCluster::start(Past::SHORT).await?;
    let (browser, url) = (Browser::start().await?, demo.url()?);
    let (browser, url) = (&browser, url.as_str());
    let mut checks = Checks::default();
    checks.check("a drag over the bars zooms in, and back zooms out", zooms(browser, url)).await;
    checks.check("the keys zoom as well", zooms_by_keys(browser, url)).await;
    checks.check("a click on a value wants it, a click with Alt does not", facets(browser, url)).await;
    checks
        .check("around a record stand its neighbours, and one leads to the next", around(browser, url))
        .await;
    checks.check("the address of a record opens it", by_address(browser, url)).await;
    checks.check("a stretch of time is chosen and typed", times(browser, url)).await;
    checks.check("where nothing is found it says what to do", nothing(browser, url)).await;
    checks.end_well(browser, url).await;
    checks.finish()
}

async fn open(browser: &Browser, url: &str, query: &str) -> Result<()> {
    browser.open("about:blank").await?;
    browser.open(&format!("{url}/explore{query}")).await?;
    browser.wait_for_element(ROWS).await?;
    browser.wait_for_element(BARS).await?;
    dashboard::settled(browser).await
}

async fn total(browser: &Browser) -> Result<u64> {
    browser.run(&format!("return {TOTAL};"), &[]).await?.as_u64().context("no total of the bars")
}

async fn fewer_than(browser: &Browser, total: u64) -> Result<()> {
    browser.wait_for(&format!("{TOTAL} < arguments[0] && {TOTAL} > 0"), &[json!(total)], LOADED_WITHIN).await
}

/// Waits until there are rows, and each says the text, or none does.
async fn rows_say(browser: &Browser, text: &str, says: bool) -> Result<()> {
    let script = "(rows => rows.length > 0 && rows.every(row => row.innerText.includes(arguments[1]) === arguments[2]))\
        ([...document.querySelectorAll(arguments[0])])";
    browser.wait_for(script, &[json!(ROWS), json!(text), json!(says)], LOADED_WITHIN).await
}

async fn zooms(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "").await?;
    let all = total(browser).await?;
    browser.drag(BARS, Point(0.4, 0.5), Point(0.7, 0.5)).await?;
    browser.click(named("button", "Zoom here")).await?;
    fewer_than(browser, all).await?;
    dashboard::settled(browser).await?;
    browser.run("history.back();", &[]).await?;
    // The last hour has moved on meanwhile, and left some records behind; the part that was zoomed into is far smaller.
    browser.wait_for(&format!("{TOTAL} > arguments[0] * 0.9"), &[json!(all)], LOADED_WITHIN).await
}

async fn zooms_by_keys(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "").await?;
    let all = total(browser).await?;
    browser.run("document.querySelector('.histogram-frame svg').focus();", &[]).await?;
    let steps = ["ArrowRight", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "Enter"];
    browser.press(&["ArrowLeft"; 1]).await?;
    browser.press(&steps).await?;
    browser.wait_for(&format!("{TOTAL} < arguments[0]"), &[json!(all)], LOADED_WITHIN).await
}

async fn facets(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "").await?;
    let value = |field: &str, value: &str| format!(".facet-choice[title*=\" {field}:{value} \" i]");
    browser.click(value("level", "error").as_str()).await?;
    rows_say(browser, "ERROR", true).await?;
    browser.wait_for_element(".facet-value.included").await?;
    browser.wait_for_text(ROWS, FAILING_SERVICE).await?;
    dashboard::settled(browser).await?;
    browser.alt_click(value("service", FAILING_SERVICE).as_str()).await?;
    rows_say(browser, FAILING_SERVICE, false).await?;
    // The value is no longer among the records, so it is taken back where conditions stand.
    browser.wait_for_text(".conditions", FAILING_SERVICE).await?;
    // The address says it all.
    let address = browser.run("return location.search;", &[]).await?;
    open(browser, url, address.as_str().unwrap_or_default()).await?;
    rows_say(browser, FAILING_SERVICE, false).await?;
    rows_say(browser, "ERROR", true).await?;
    browser.click(named("button", "Clear all")).await?;
    let others = "[...document.querySelectorAll(arguments[0])].some(row => !row.innerText.includes('ERROR'))";
    browser.wait_for(others, &[json!(ROWS)], LOADED_WITHIN).await
}

async fn around(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, &format!("?q=service:{FAILING_SERVICE}")).await?;
    browser.click(format!("{ROWS} .service").as_str()).await?;
    browser.click(named("tab", "What happened around it")).await?;
    browser.wait_for_element(".around-row.here").await?;
    let neighbours = browser.texts(".around-row").await?;
    ensure!(neighbours.len() > 3, "a record has {} neighbours", neighbours.len());
    ensure!(neighbours.iter().all(|row| row.contains(FAILING_SERVICE)), "{neighbours:#?}");
    let first = browser.text_of(".details-message").await?;
    browser.click(".around-row:not(.here) a").await?;
    let is_another = "document.querySelector('.details-message')?.innerText !== arguments[0] && \
        location.search.includes('log_id=')";
    browser.wait_for(is_another, &[json!(first)], LOADED_WITHIN).await
}

async fn by_address(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, &format!("?q=service:{FAILING_SERVICE}")).await?;
    browser.click(format!("{ROWS} .service").as_str()).await?;
    browser.wait_for("location.search.includes('log_id=')", &[], LOADED_WITHIN).await?;
    let message = browser.text_of(".details-message").await?;
    let address = browser.run("return location.search;", &[]).await?;
    open(browser, url, address.as_str().unwrap_or_default()).await?;
    browser.wait_for_text(".details-message", &message).await
}

async fn times(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "").await?;
    browser.press(&["t"]).await?;
    browser.wait_for_element(".time-picker [role=dialog]").await?;
    browser.press(&["Escape"]).await?;
    browser.wait_until_gone(".time-picker [role=dialog]").await?;
    browser.press(&["t"]).await?;
    browser.fill(named("textbox", "Before now"), "45m").await?;
    browser.press(&["Enter"]).await?;
    browser.wait_for_text(".time-picker button", "45 minutes").await?;
    browser.click(".time-picker button").await?;
    browser.click(".time-picker .offered button:last-child").await?;
    browser.wait_for_text(".time-picker button", "days").await?;
    browser.wait_for_element(ROWS).await
}

async fn nothing(browser: &Browser, url: &str) -> Result<()> {
    browser.open(&format!("{url}/explore?q=service:nowhere")).await?;
    browser.wait_for_element("[data-state=empty]").await?;
    browser.click(named("button", "No conditions")).await?;
    browser.wait_for_element(ROWS).await
}
