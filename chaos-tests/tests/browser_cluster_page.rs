//! The Cluster page in a real browser, against a real node.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use insighthub_chaos_tests::browser::{Browser, named};
use insighthub_chaos_tests::dashboard;
use insighthub_chaos_tests::demo_cluster::{ADMIN, DemoCluster, Past, VIEWER};
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use serde_json::json;

const WITHIN: Duration = Duration::from_secs(20);
/// Loading WebAssembly that no cache holds, on a machine that also builds.
const LOADED_WITHIN: Duration = Duration::from_secs(60);
const PAGE_SAYS: &str = "document.querySelector('.cluster-page')?.innerText.includes(arguments[0])";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cluster_page_says_that_all_is_well_and_that_it_is_old_once_the_node_is_gone() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    let browser = Browser::start().await?;
    browser.open(&format!("{}/cluster", node.url())).await?;
    browser.wait_for(PAGE_SAYS, &[json!("Healthy: every node is ready")], LOADED_WITHIN).await?;
    for part in ["n1", "Answers here", "8 of 8", "Actors of n1"] {
        browser.wait_for(PAGE_SAYS, &[json!(part)], WITHIN).await?;
    }
    browser.screenshot(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("cluster_page.png")).await?;
    let errors = browser.console_errors().await?;
    ensure!(errors.is_empty(), "errors on the console: {errors:#?}");

    node.kill_nine()?;
    browser.wait_for(PAGE_SAYS, &[json!("Old: ")], WITHIN).await?;
    let healthy = browser.run("return document.querySelectorAll('.healthy').length;", &[]).await?;
    ensure!(healthy == json!(0), "a page that is old still says that all is well");
    node.restart().await?;
    browser.wait_for(PAGE_SAYS, &[json!("Healthy: every node is ready")], WITHIN).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_takes_a_node_out_of_use_and_back_and_a_viewer_cannot() -> Result<()> {
    let demo = DemoCluster::start(Past::SHORT).await?;
    let (browser, url) = (Browser::start().await?, demo.url()?);
    let drains = |names: Vec<String>| names.iter().any(|name| name.starts_with("Drain"));
    dashboard::let_in(&browser, &url, VIEWER).await?;
    browser.open(&format!("{url}/cluster")).await?;
    browser.wait_for_text("main table", "n3").await?;
    dashboard::settled(&browser).await?;
    ensure!(!drains(browser.names_of("button").await?), "a viewer is offered to drain nodes");
    ensure!(browser.texts(".move-leader").await?.is_empty(), "a viewer is offered to move leaders");

    dashboard::let_in(&browser, &url, ADMIN).await?;
    browser.open(&format!("{url}/cluster")).await?;
    browser.click(named("button", "Drain n3")).await?;
    browser.wait_for_text("dialog[open]", "Drain n3?").await?;
    browser.click(named("button", "Cancel").inside("dialog[open]")).await?;
    browser.wait_until_gone("dialog[open]").await?;
    browser.click(named("button", "Drain n3")).await?;
    browser.click(named("button", "Drain n3").inside("dialog[open]")).await?;
    browser.click(named("button", "Use n3 again")).await?;
    browser.click(named("button", "Use n3 again").inside("dialog[open]")).await?;
    browser.wait_until_gone("dialog[open]").await?;
    // Waits for it; nothing is pressed.
    browser.hover(named("button", "Drain n3")).await?;
    moves_a_leader(&browser).await?;
    browser.ensure_asked_only(&url).await?;
    let errors = browser.console_errors().await?;
    ensure!(errors.is_empty(), "errors on the console: {errors:#?}");
    Ok(())
}

/// From the node that leads most to the one that leads fewest: anything else the cluster would even out by itself.
async fn moves_a_leader(browser: &Browser) -> Result<()> {
    let script = "const rows = [...document.querySelectorAll('table')].find(it => it.caption?.innerText === 'Partitions') \
        .querySelectorAll('tbody tr'); \
        const led = [...rows].map(row => [row.cells[0].innerText, row.cells[1].firstChild.textContent]); \
        const counts = {}; for (const node of ['n1', 'n2', 'n3']) counts[node] = led.filter(it => it[1] === node).length; \
        const order = Object.keys(counts).sort((a, b) => counts[a] - counts[b]); \
        return [led.find(it => it[1] === order[2])[0], order[0]];";
    let [partition, to]: [String; 2] = serde_json::from_value(browser.run(script, &[]).await?)?;
    browser.click(named("button", &format!("Move the leader of partition {partition}"))).await?;
    browser.wait_for_text("dialog[open]", &format!("Move the leader of partition {partition}?")).await?;
    browser.select(named("combobox", "To").inside("dialog"), &to).await?;
    browser.click(named("button", "Move leader").inside("dialog")).await?;
    browser.wait_until_gone("dialog[open]").await?;
    let leads = "[...document.querySelectorAll('table')].find(it => it.caption?.innerText === 'Partitions')\
        .querySelectorAll('tbody tr').values().some(row => row.cells[0].innerText === arguments[0] && \
        row.cells[1].firstChild.textContent === arguments[1])";
    browser.wait_for(leads, &[json!(partition), json!(to)], WITHIN).await
}
