//! Charts of the Explore page: held against the period before, a stretch against the rest, groups as lines, bars and lists.

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::browser::{Browser, Point, named};
use insighthub_chaos_tests::dashboard::{self, LOADED_WITHIN};
use insighthub_chaos_tests::demo_cluster::{DemoCluster, FAILING_SERVICE, Past};
use insighthub_chaos_tests::shared_start::Checks;
use serde_json::json;

const BARS: &str = ".histogram-frame";
const STACK: &str = ".bar-series";
/// More groups than colours.
const CROWD: usize = 11;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn charts_answer_what_is_different_and_who_it_is() -> Result<()> {
    let demo = DemoCluster::start(Past::SHORT).await?;
    for number in 0..CROWD {
        demo.post(&format!("crowd-{number:02}"), "info", &["one of many"; 2]).await?;
    }
    let (browser, url) = (Browser::start().await?, demo.url()?);
    let (browser, url) = (&browser, url.as_str());
    let mut checks = Checks::default();
    checks.check("the period before is drawn and counted", compares(browser, url)).await;
    checks.check("a dragged stretch is held against the rest, and leads on", differs(browser, url)).await;
    checks.check("groups are lines first, and stacked bars when chosen", stacks(browser, url)).await;
    checks.check("a stack stands for all records", whole(browser, url)).await;
    checks.check("what does not add up is not stacked", adds_up(browser, url)).await;
    checks
        .check("groups are a list and a table, and a group leads to its records", lists(browser, url))
        .await;
    checks.end_well(browser, url).await;
    checks.finish()
}

async fn open(browser: &Browser, url: &str, query: &str) -> Result<()> {
    browser.open("about:blank").await?;
    browser.open(&format!("{url}/explore{query}")).await?;
    browser.wait_for_element(BARS).await?;
    dashboard::settled(browser).await
}

async fn address_says(browser: &Browser, text: &str) -> Result<()> {
    browser.wait_for("location.search.includes(arguments[0])", &[json!(text)], LOADED_WITHIN).await
}

async fn compares(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "").await?;
    ensure!(browser.texts(".before-line").await?.is_empty(), "the period before is drawn unasked");
    browser.click(named("button", "Compare with before")).await?;
    browser.wait_for_element("path.before-line").await?;
    browser.wait_for_text(".histogram-head", "in the period before").await?;
    // Two of the three hours of traffic: neither period is empty.
    let counts = "return document.querySelector('.histogram-head').innerText;";
    let said = browser.run(counts, &[]).await?;
    ensure!(!said.as_str().unwrap_or_default().contains(": 0"), "nothing was before: {said}");
    address_says(browser, "compare=before").await?;
    let address = browser.run("return location.search;", &[]).await?;
    open(browser, url, address.as_str().unwrap_or_default()).await?;
    browser.wait_for_element("path.before-line").await?;
    browser.click(named("button", "Compare with before")).await?;
    browser.wait_until_gone("path.before-line").await
}

async fn differs(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "").await?;
    // The last bars, in which the tills failed.
    browser.drag(BARS, Point(0.93, 0.5), Point(0.995, 0.5)).await?;
    browser.click(named("button", "What is different here")).await?;
    let finding =
        "[...document.querySelectorAll('.findings li')].some(it => it.innerText.includes(arguments[0]))";
    browser.wait_for(finding, &[json!(FAILING_SERVICE)], LOADED_WITHIN).await?;
    browser.wait_for_element(".histogram .marked.kept").await?;
    address_says(browser, "selection_from=").await?;
    browser.click(named("button", &format!("Only service:{FAILING_SERVICE}"))).await?;
    address_says(browser, &format!("service={FAILING_SERVICE}")).await?;
    browser.click(named("button", "Drop")).await?;
    browser.wait_until_gone(".histogram .marked.kept").await?;
    browser.wait_for_text(".list .row", "no route to the bank").await
}

async fn stacks(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "").await?;
    browser.click(named("tab", "Group by")).await?;
    browser.wait_for_element(".series-line").await?;
    browser.click(named("button", "Stacked bars")).await?;
    browser.wait_for_element(STACK).await?;
    browser.wait_until_gone(".series-line").await?;
    address_says(browser, "as=bars").await?;
    let address = browser.run("return location.search;", &[]).await?;
    open(browser, url, address.as_str().unwrap_or_default()).await?;
    browser.wait_for_element(STACK).await?;
    // A drag over the bars looks closer, as it does over lines.
    browser.drag("figure.lines .plot", Point(0.4, 0.5), Point(0.7, 0.5)).await?;
    address_says(browser, "to=").await?;
    browser.wait_for_element(STACK).await?;
    browser.click(named("button", "Lines")).await?;
    browser.wait_for_element(".series-line").await
}

/// Only the crowd: what is too small for a colour of its own stands in the stack as one.
async fn whole(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "?q=one+of+many&tab=group&as=bars").await?;
    browser.wait_for_text(".legend", &format!("{} smaller groups", CROWD - 8)).await?;
    let series = browser.run("return document.querySelectorAll('.bar-series').length;", &[]).await?;
    ensure!(series == json!(9), "{series} parts are drawn");
    // Boxes of one bar upon each other: none covers another, and together they reach from the axis to the top one's edge.
    let stacked = "const boxes = [...document.querySelectorAll('.bar-series')].map(it => it.getBBox()); \
        const floor = Math.max(...boxes.map(it => it.y + it.height)), top = Math.min(...boxes.map(it => it.y)); \
        const sum = boxes.reduce((sum, it) => sum + it.height, 0); return [sum, floor - top, boxes.length];";
    let [sum, height, _]: [f64; 3] = serde_json::from_value(browser.run(stacked, &[]).await?)?;
    ensure!((sum - height).abs() < 2.0, "parts of {sum} pixels make a stack of {height}");
    browser.click(named("button", "crowd-00")).await?;
    browser.wait_for("document.querySelectorAll('.bar-series').length === 8", &[], LOADED_WITHIN).await
}

async fn adds_up(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "?tab=group&as=bars").await?;
    browser.wait_for_element(STACK).await?;
    browser.select(named("combobox", "What is worked out"), "95th percentile of").await?;
    browser.wait_for_element(".series-line").await?;
    browser.wait_until_gone(STACK).await?;
    let usable = browser.names_of("button").await?;
    ensure!(!usable.iter().any(|name| name == "Stacked bars"), "quantiles can be stacked");
    Ok(())
}

async fn lists(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "?tab=group&by=level").await?;
    browser.click(named("button", "Table")).await?;
    browser.wait_for_text(".tab-page tbody tr", "ERROR").await?;
    browser.click(named("button", "Top list")).await?;
    browser.click(".top-entry[title='Only ERROR']").await?;
    address_says(browser, "level=ERROR").await.context("a group leads to its records")
}
