//! The Cluster page in a real browser, against a real node.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use insighthub_chaos_tests::browser::Browser;
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
    browser.wait_for(PAGE_SAYS, &[json!("Stale: what follows is")], WITHIN).await?;
    let healthy = browser.run("return document.querySelectorAll('.healthy').length;", &[]).await?;
    ensure!(healthy == json!(0), "a page that is old still says that all is well");
    node.restart().await?;
    browser.wait_for(PAGE_SAYS, &[json!("Healthy: every node is ready")], WITHIN).await?;
    Ok(())
}
