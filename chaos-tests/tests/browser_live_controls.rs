//! What one does on the Live page: narrow it, hold it, read a record, and let the search line help.

use anyhow::{Result, ensure};
use insighthub_chaos_tests::browser::{Browser, named};
use insighthub_chaos_tests::dashboard::LOADED_WITHIN;
use insighthub_chaos_tests::demo_cluster::{DemoCluster, FAILING_SERVICE, Past};
use insighthub_chaos_tests::shared_start::Checks;
use serde_json::json;

const ROWS: &str = ".list .row";
const IS_LIVE: &str = ".pill.live";
/// A machine with much to do beside.
const SLOW: u32 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_live_page_is_narrowed_held_and_read() -> Result<()> {
    let demo = DemoCluster::start(Past::SHORT).await?;
    let (browser, url) = (Browser::start().await?, demo.url()?);
    let (browser, demo, url) = (&browser, &demo, url.as_str());
    let mut checks = Checks::default();
    checks
        .check("levels and services narrow the list, by the address too", narrows(browser, demo, url))
        .await;
    checks
        .check("a held list counts what comes, and shows it once it moves again", holds(browser, demo, url))
        .await;
    checks.check("a record is reached, opened, filtered by and closed by keys", reads(browser, url)).await;
    checks.check("the search line offers fields and their values", offers(browser, url)).await;
    checks.check("a query that cannot be read is explained and not applied", explains(browser, url)).await;
    checks.end_well(browser, url).await;
    checks.finish()
}

async fn open(browser: &Browser, url: &str) -> Result<()> {
    browser.open(&format!("{url}/live")).await?;
    browser.wait_for_element(IS_LIVE).await?;
    browser.wait_for_element(ROWS).await
}

/// Waits until there are rows and each says the text.
async fn every_row_says(browser: &Browser, text: &str) -> Result<()> {
    let script = "(rows => rows.length > 0 && rows.every(row => row.innerText.includes(arguments[1])))\
        ([...document.querySelectorAll(arguments[0])])";
    browser.wait_for(script, &[json!(ROWS), json!(text)], LOADED_WITHIN).await
}

async fn narrows(browser: &Browser, demo: &DemoCluster, url: &str) -> Result<()> {
    open(browser, url).await?;
    browser.click(named("button", "ERROR")).await?;
    browser.wait_for("location.search.includes('level=')", &[], LOADED_WITHIN).await?;
    every_row_says(browser, "ERROR").await?;
    browser.select(named("combobox", "Service"), FAILING_SERVICE).await?;
    every_row_says(browser, FAILING_SERVICE).await?;
    let address = browser.run("return location.href;", &[]).await?;
    // The same elsewhere, by the address alone.
    browser.open("about:blank").await?;
    browser.open(address.as_str().unwrap_or_default()).await?;
    every_row_says(browser, FAILING_SERVICE).await?;
    browser.wait_for_element(IS_LIVE).await?;
    demo.post(FAILING_SERVICE, "INFO", &["the till says good morning"]).await?;
    demo.post(FAILING_SERVICE, "ERROR", &["the till is out of paper"]).await?;
    browser.wait_for_text(ROWS, "out of paper").await?;
    let others = browser.texts(ROWS).await?;
    ensure!(
        !others.iter().any(|row| row.contains("good morning")),
        "a level that was not asked for is shown"
    );
    Ok(())
}

async fn holds(browser: &Browser, demo: &DemoCluster, url: &str) -> Result<()> {
    open(browser, url).await?;
    browser.press(&["Space"]).await?;
    browser.wait_for_text(".stream-bar", "Paused").await?;
    demo.post("lighthouse", "INFO", &["first flash", "second flash", "third flash"]).await?;
    browser.wait_for_text(".stream-bar", "3 new").await?;
    let rows = browser.texts(ROWS).await?;
    ensure!(!rows.iter().any(|row| row.contains("flash")), "a held list moved");
    browser.click(named("button", "Resume")).await?;
    browser.wait_for_text(ROWS, "third flash").await?;
    browser.click(named("button", "Clear")).await?;
    browser.wait_until_gone(ROWS).await
}

async fn reads(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url).await?;
    browser.press(&["j", "j", "k", "Enter"]).await?;
    browser.wait_for_element(".details-message").await?;
    browser.wait_for("document.querySelector('.row.selected')?.id === 'row-0'", &[], LOADED_WITHIN).await?;
    browser.press(&["Escape"]).await?;
    browser.wait_until_gone(".details-message").await?;
    // Keys come faster than the rows are drawn, and none is lost.
    browser.slow_down(SLOW).await?;
    browser.press(&["j", "j", "j", "k", "Enter"]).await?;
    browser.wait_for_element(".details-message").await?;
    browser.wait_for("document.querySelector('.row.selected')?.id === 'row-2'", &[], LOADED_WITHIN).await?;
    browser.press(&["Escape"]).await?;
    browser.wait_until_gone(".details-message").await?;
    browser.slow_down(1).await?;
    browser.click(".list .row .service").await?;
    browser.click(named("button", "Only records with this service")).await?;
    browser.wait_for("location.search.length > 1", &[], LOADED_WITHIN).await?;
    let service = browser.text_of(".list .row .service").await?;
    every_row_says(browser, &service).await
}

async fn offers(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url).await?;
    browser.press(&["/"]).await?;
    browser.type_into("#search", "serv").await?;
    browser.wait_for_text("#query-offers [role=option]", "service").await?;
    browser.press(&["ArrowDown", "Enter"]).await?;
    browser
        .wait_for("document.querySelector('#search').value.startsWith('service')", &[], LOADED_WITHIN)
        .await?;
    browser.fill("#search", "level:ERROR").await?;
    browser.press(&["Enter"]).await?;
    every_row_says(browser, "ERROR").await
}

async fn explains(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url).await?;
    browser.fill("#search", "level:ERROR AND (").await?;
    browser.press(&["Enter"]).await?;
    browser.wait_for_element("#query-problem").await?;
    let address = browser.run("return location.search;", &[]).await?;
    ensure!(address == json!(""), "a query that cannot be read is in force: {address}");
    Ok(())
}
