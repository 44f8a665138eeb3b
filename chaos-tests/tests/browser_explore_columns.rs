//! Columns of the list on the Explore page: chosen, put elsewhere, made wider, and kept in the address.

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::browser::{Browser, Point, named};
use insighthub_chaos_tests::dashboard::{self, LOADED_WITHIN};
use insighthub_chaos_tests::demo_cluster::{DemoCluster, FAILING_SERVICE, Past};
use insighthub_chaos_tests::shared_start::Checks;
use serde_json::json;

const ROWS: &str = ".list .row";
const HEADS: &str = ".list-head .column-name";
const USUAL: [&str; 5] = ["Time", "Level", "Service", "Message", "Latency"];
/// Names in the heads, in the order in which they stand.
const NAMES: &str =
    "[...document.querySelectorAll('.list-head .column-name')].map(it => it.textContent.trim())";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_are_chosen_moved_and_made_wider() -> Result<()> {
    let demo = DemoCluster::start(Past::SHORT).await?;
    let (browser, url) = (Browser::start().await?, demo.url()?);
    let (browser, url) = (&browser, url.as_str());
    let mut checks = Checks::default();
    checks.check("a field becomes a column, from the facets and from a record", chooses(browser, url)).await;
    checks.check("a column is dragged to another place", moves(browser, url)).await;
    checks.check("keys move a column and take it out", keys(browser, url)).await;
    checks.check("an edge that is dragged makes its column wider", resizes(browser, url)).await;
    checks
        .check("the address shows the same columns, and they can be had as usual again", kept(browser, url))
        .await;
    checks.end_well(browser, url).await;
    checks.finish()
}

async fn open(browser: &Browser, url: &str, columns: &str) -> Result<()> {
    browser.open("about:blank").await?;
    browser.open(&format!("{url}/explore?q=service:{FAILING_SERVICE}{columns}")).await?;
    browser.wait_for_element(ROWS).await?;
    browser.wait_for_element(HEADS).await?;
    dashboard::settled(browser).await
}

async fn heads_are(browser: &Browser, names: &[&str]) -> Result<()> {
    let same = format!("JSON.stringify({NAMES}) === JSON.stringify(arguments[0])");
    let waited = browser.wait_for(&same, &[json!(names)], LOADED_WITHIN).await;
    let found = browser.run(&format!("return {NAMES};"), &[]).await?;
    waited.with_context(|| format!("the columns are {found}"))
}

/// Middle of a head, and the left edge of the next, as shares of the line of heads.
async fn place_of(browser: &Browser, name: &str) -> Result<(Point, Point)> {
    let script = "const line = document.querySelector('.list-head').getBoundingClientRect(); \
        const head = [...document.querySelectorAll('.column-head')].find(it => it.innerText.trim() === arguments[0]); \
        const box = head.getBoundingClientRect(), edge = head.querySelector('.column-edge').getBoundingClientRect(); \
        return [(box.left + 20 - line.left) / line.width, (edge.left + edge.width / 2 - line.left) / line.width];";
    let [middle, edge]: [f64; 2] = serde_json::from_value(browser.run(script, &[json!(name)]).await?)?;
    Ok((Point(middle, 0.5), Point(edge, 0.5)))
}

async fn chooses(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "").await?;
    heads_are(browser, &USUAL).await?;
    // The facet is shut until it is pressed.
    browser.fill(named("textbox", "Find a field or value"), "region").await?;
    browser.click(named("button", "Show region as a column").inside(".facets")).await?;
    heads_are(browser, &[&USUAL[..], &["region"]].concat()).await?;
    browser.wait_for_text(ROWS, "eu").await?;
    browser.click(format!("{ROWS} .service").as_str()).await?;
    browser.click(named("button", "Show till as a column").inside(".details")).await?;
    heads_are(browser, &[&USUAL[..], &["region", "till"]].concat()).await
}

async fn moves(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "").await?;
    let ((service, _), (time, _)) = (place_of(browser, "Service").await?, place_of(browser, "Time").await?);
    browser.drag_and_drop(".list-head", service, time).await?;
    heads_are(browser, &["Service", "Time", "Level", "Message", "Latency"]).await?;
    // Cells follow their heads.
    let first = "return document.querySelector('.list .row').innerText.trim();";
    let row = browser.run(first, &[]).await?;
    ensure!(row.as_str().is_some_and(|row| row.starts_with(FAILING_SERVICE)), "a row begins with {row}");
    Ok(())
}

async fn keys(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "").await?;
    let focus =
        "[...document.querySelectorAll('.column-name')].find(it => it.innerText === arguments[0]).focus();";
    browser.run(focus, &[json!("Level")]).await?;
    browser.press(&["Shift+ArrowRight"]).await?;
    heads_are(browser, &["Time", "Service", "Level", "Message", "Latency"]).await?;
    browser.run(focus, &[json!("Latency")]).await?;
    browser.press(&["Delete"]).await?;
    heads_are(browser, &["Time", "Service", "Level", "Message"]).await
}

async fn resizes(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "").await?;
    let width = "return [...document.querySelectorAll('.column-head')].find(it => it.innerText.trim() === 'Service').offsetWidth;";
    let before = browser.run(width, &[]).await?.as_f64().context("no width")?;
    let (_, edge) = place_of(browser, "Service").await?;
    let line = browser.run("return document.querySelector('.list-head').offsetWidth;", &[]).await?;
    let further = 60.0 / line.as_f64().context("no width of the line")?;
    browser.drag(".list-head", edge, Point(edge.0 + further, 0.5)).await?;
    let wider = "Math.abs([...document.querySelectorAll('.column-head')].find(it => it.innerText.trim() === 'Service')\
        .offsetWidth - arguments[0]) <= 3";
    browser.wait_for(wider, &[json!(before + 60.0)], LOADED_WITHIN).await?;
    heads_are(browser, &USUAL).await
}

async fn kept(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "").await?;
    browser.click(format!("{ROWS} .service").as_str()).await?;
    browser.click(named("button", "Show region as a column").inside(".details")).await?;
    browser.wait_for("location.search.includes('region')", &[], LOADED_WITHIN).await?;
    let address = browser.run("return location.search;", &[]).await?;
    let address = address.as_str().unwrap_or_default();
    browser.open("about:blank").await?;
    browser.open(&format!("{url}/explore{address}")).await?;
    heads_are(browser, &[&USUAL[..], &["region"]].concat()).await?;
    browser.click(named("button", "Usual columns")).await?;
    heads_are(browser, &USUAL).await
}
