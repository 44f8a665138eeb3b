//! The node that served the page is killed: the page goes on at another, with what was on the screen, signed in as before.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::browser::{Browser, named};
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use serde_json::json;

const WITHIN: Duration = Duration::from_secs(60);
const IS_LIVE: &str = "document.querySelector('.pill.live')";
const SHOWN: &str =
    "[...document.querySelectorAll('.row')].filter(row => row.innerText.includes(arguments[0])).length";

async fn post(api: &Api, message: &str) -> Result<()> {
    let record = json!({ "service": "aquarium", "level": "INFO", "message": message });
    api.post_json("/api/logs", &record).await?.expect(200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_goes_on_at_another_node_when_its_own_is_killed() -> Result<()> {
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    let (first, second) = (cluster.node(0)?, cluster.node(1)?);
    let browser = Browser::start().await?;
    browser.open(&format!("{}/live", first.url().trim_end_matches('/'))).await?;
    browser.wait_for(IS_LIVE, &[], WITHIN).await?;
    browser.click(named("button", "Sign in")).await?;
    browser.type_into("dialog input[name=password]", "correct horse battery staple").await?;
    browser.click("dialog button[type=submit]").await?;
    browser.wait_for("document.querySelector('.user')?.innerText.startsWith('admin')", &[], WITHIN).await?;
    browser.wait_for(IS_LIVE, &[], WITHIN).await?;
    post(second.api(), "before the kill").await?;
    browser.wait_for(&format!("{SHOWN} === 1"), &[json!("before the kill")], WITHIN).await?;
    // By then the page has asked who the others are.
    browser.wait_for("document.querySelector('.node')?.innerText === 'n1'", &[], WITHIN).await?;

    first.kill().await?;
    post_when_led(second.api(), "while it is gone").await?;
    browser.wait_for(&format!("{SHOWN} === 1"), &[json!("while it is gone")], WITHIN).await?;
    browser.wait_for(&format!("{SHOWN} === 1"), &[json!("before the kill")], WITHIN).await?;
    browser.wait_for(IS_LIVE, &[], WITHIN).await?;
    let node = browser.run("return document.querySelector('.node').innerText;", &[]).await?;
    let node = node.as_str().context("no node is named")?;
    ensure!(node.starts_with("now from n"), "the page does not say who answers: {node}");

    // Other pages are asked of the same node, as the same user.
    browser.click(named("link", "Cluster")).await?;
    browser.wait_for_text(".trouble-line", "n1 does not answer").await?;
    let user = browser.run("return document.querySelector('.user').innerText;", &[]).await?;
    ensure!(user == json!("admin"), "signed in as {user}");

    // A second failure: the third node alone has no majority, and the page says that what it shows is not the whole.
    first.launch().await?;
    first.wait_until_ready(WITHIN).await?;
    second.kill().await?;
    browser.wait_for_text(".trouble-line", "n2 does not answer").await
}

/// Partitions that the killed node led are led by another after a moment.
async fn post_when_led(api: &Api, message: &str) -> Result<()> {
    let within = tokio::time::Instant::now() + WITHIN;
    while let Err(error) = post(api, message).await {
        ensure!(tokio::time::Instant::now() < within, "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
