//! Home and Analytics in a real browser: what is wrong is said first, and each figure leads to its records.

use std::time::Duration;

use anyhow::{Result, ensure};
use insighthub_chaos_tests::browser::{Browser, Point, named};
use insighthub_chaos_tests::dashboard;
use insighthub_chaos_tests::demo_cluster::{ALERT_TITLE, DemoCluster, FAILING_SERVICE, Past};
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use insighthub_chaos_tests::shared_start::Checks;
use serde_json::json;

const WITHIN: Duration = Duration::from_secs(60);
/// Home counts whole minutes, and looks again every ten seconds.
const COUNTED_WITHIN: Duration = Duration::from_secs(120);
/// Who begins to log is there with the next look, on a machine that also builds.
const THERE_WITHIN: Duration = Duration::from_secs(20);
const SERVICES: &str = ".services tbody tr";
const SAYS: &str =
    "[...document.querySelectorAll(arguments[0])].some(it => it.innerText.includes(arguments[1]))";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_the_first_record_home_says_how_to_send_one_and_then_shows_it() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    let browser = Browser::start().await?;
    browser.open(&node.url()).await?;
    browser.wait_for_text(".first-steps", "/api/logs").await?;
    let record = json!({ "service": "lighthouse", "level": "INFO", "message": "first light" });
    node.api()?.post_json("/api/logs", &record).await?.expect(200)?;
    browser.wait_for(SAYS, &[json!(SERVICES), json!("lighthouse")], THERE_WITHIN).await?;
    let record = json!({ "service": "harbour", "level": "INFO", "message": "a ship is in sight" });
    node.api()?.post_json("/api/logs", &record).await?.expect(200)?;
    browser.wait_for(SAYS, &[json!(SERVICES), json!("harbour")], THERE_WITHIN).await?;
    let errors = browser.console_errors().await?;
    ensure!(errors.is_empty(), "errors on the console: {errors:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_and_leads_to_its_records() -> Result<()> {
    let demo = DemoCluster::start(Past::LONG).await?;
    let (browser, url) = (Browser::start().await?, demo.url()?);
    let (browser, url) = (&browser, url.as_str());
    let mut checks = Checks::default();
    checks.check("Home names the alert that fires and every service", home(browser, url)).await;
    checks.check("another stretch of time is in the address", ranges(browser, url)).await;
    checks.check("a service leads to its logs", leads_to_logs(browser, url)).await;
    checks.check("a drag over a chart of Analytics looks closer", zooms(browser, url)).await;
    checks.check("one service is looked at alone", one_service(browser, url)).await;
    checks.end_well(browser, url).await;
    checks.finish()
}

async fn home(browser: &Browser, url: &str) -> Result<()> {
    browser.open(url).await?;
    browser.wait_for_text("section[aria-label=\"Open incidents\"]", ALERT_TITLE).await?;
    for service in [FAILING_SERVICE, "checkout", "payment-service", "auth"] {
        browser.wait_for(SAYS, &[json!(SERVICES), json!(service)], COUNTED_WITHIN).await?;
    }
    dashboard::settled(browser).await?;
    dashboard::ensure_well(browser).await
}

async fn ranges(browser: &Browser, url: &str) -> Result<()> {
    browser.open(url).await?;
    browser.click(named("button", "6 h")).await?;
    browser.wait_for("location.search.length > 1", &[], WITHIN).await?;
    let address = browser.run("return location.search;", &[]).await?;
    browser.open("about:blank").await?;
    browser.open(&format!("{url}/{}", address.as_str().unwrap_or_default())).await?;
    browser.wait_for_text(".segmented [aria-pressed=true]", "6 h").await
}

async fn leads_to_logs(browser: &Browser, url: &str) -> Result<()> {
    browser.open(url).await?;
    browser.wait_for(SAYS, &[json!(SERVICES), json!(FAILING_SERVICE)], COUNTED_WITHIN).await?;
    let follow = "[...document.querySelectorAll(arguments[0])].find(row => row.innerText.includes(arguments[1])) \
        .querySelector('td:last-child a').click();";
    browser.run(follow, &[json!(SERVICES), json!(FAILING_SERVICE)]).await?;
    browser.wait_for("location.pathname === '/explore'", &[], WITHIN).await?;
    browser.wait_for_text(".list .row", "no route to the bank").await
}

async fn zooms(browser: &Browser, url: &str) -> Result<()> {
    browser.open(&format!("{url}/analytics")).await?;
    browser.wait_for_element(".analytics-charts svg").await?;
    dashboard::settled(browser).await?;
    let before = browser.run("return location.search;", &[]).await?;
    browser.drag(".analytics-charts svg", Point(0.4, 0.5), Point(0.7, 0.5)).await?;
    browser.wait_for("location.search !== arguments[0]", &[before], WITHIN).await?;
    dashboard::settled(browser).await?;
    dashboard::ensure_well(browser).await
}

async fn one_service(browser: &Browser, url: &str) -> Result<()> {
    browser.open(&format!("{url}/analytics")).await?;
    browser.select(named("combobox", "Service"), "checkout").await?;
    browser.wait_for("location.search.includes('checkout')", &[], WITHIN).await?;
    dashboard::settled(browser).await?;
    dashboard::ensure_well(browser).await
}
