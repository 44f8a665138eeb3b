//! The Live page in a real browser, against a real node.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::browser::Browser;
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use serde_json::json;

const WITHIN: Duration = Duration::from_secs(20);
/// Loading WebAssembly that no cache holds, on a machine that also builds.
const LOADED_WITHIN: Duration = Duration::from_secs(60);
const IS_LIVE: &str = "document.querySelector('.pill.live')";
const SHOWS: &str = "document.querySelector('.list')?.innerText.includes(arguments[0])";
const PROBE: &str = "<img src=x onerror=\"document.title='owned'\"> walrus";

async fn post(api: &Api, message: &str) -> Result<()> {
    // One service, so one partition: what is posted first also arrives first.
    let record = json!({ "service": "aquarium", "level": "ERROR", "message": message, "tank": 7 });
    let answer = api.post_json("/api/logs", &record).await?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.text);
    Ok(())
}

async fn open_live_page(node: &NodeProcess) -> Result<Browser> {
    let browser = Browser::start().await?;
    browser.open(&format!("{}/live", node.url())).await?;
    browser.wait_for(IS_LIVE, &[], LOADED_WITHIN).await?;
    Ok(browser)
}

/// Pictures stay after the run, for people to look at.
async fn take_picture(browser: &Browser, name: &str) -> Result<()> {
    browser.screenshot(&Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)).await
}

async fn shown_text(browser: &Browser) -> Result<String> {
    let text = browser.run("return document.querySelector('.list').innerText;", &[]).await?;
    Ok(text.as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_matching_record_appears_on_the_live_page_and_others_do_not() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    let (api, browser) = (node.api()?, open_live_page(&node).await?);

    // Without a filter everything arrives.
    post(&api, "a seal before the search").await?;
    browser.wait_for(SHOWS, &[json!("a seal before the search")], WITHIN).await?;

    browser.type_into("#search", "walrus").await?;
    browser.wait_for("location.search === '?q=walrus'", &[], WITHIN).await?;
    browser.wait_for("!document.querySelector('.list')?.innerText.includes('seal')", &[], WITHIN).await?;
    browser.wait_for(IS_LIVE, &[], WITHIN).await?;
    post(&api, "a seal after the search").await?;
    post(&api, "the walrus has landed").await?;
    browser.wait_for(SHOWS, &[json!("the walrus has landed")], WITHIN).await?;
    let shown = shown_text(&browser).await?;
    ensure!(!shown.contains("seal"), "a record that does not match is shown: {shown}");

    take_picture(&browser, "live_page.png").await?;
    let errors = browser.console_errors().await?;
    ensure!(errors.is_empty(), "errors on the console: {errors:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn markup_in_a_message_is_shown_as_text() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    let (api, browser) = (node.api()?, open_live_page(&node).await?);

    post(&api, PROBE).await?;
    browser.wait_for(SHOWS, &[json!(PROBE)], WITHIN).await?;
    browser.click(".list .row").await?;
    let in_details = "document.querySelector('.details-message')?.innerText === arguments[0]";
    browser.wait_for(in_details, &[json!(PROBE)], WITHIN).await?;
    let images = browser.run("return document.images.length;", &[]).await?;
    ensure!(images == json!(0), "markup from a record became {images} elements");
    let title = browser.run("return document.title;", &[]).await?;
    ensure!(title == json!("Live \u{b7} InsightHub"), "a script from a record ran: {title}");

    take_picture(&browser, "record_details.png").await?;
    let errors = browser.console_errors().await?;
    ensure!(errors.is_empty(), "errors on the console: {errors:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_live_page_goes_on_by_itself_after_the_node_was_killed() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    let browser = open_live_page(&node).await?;
    post(&node.api()?, "before the kill").await?;
    browser.wait_for(SHOWS, &[json!("before the kill")], WITHIN).await?;

    node.kill_nine()?;
    browser.wait_for("document.querySelector('.pill.reconnecting, .pill.stale')", &[], WITHIN).await?;
    let kept = shown_text(&browser).await?;
    ensure!(kept.contains("before the kill"), "what was read is gone: {kept}");

    node.restart().await?;
    post(&node.api()?, "after the restart").await?;
    browser.wait_for(SHOWS, &[json!("after the restart")], WITHIN).await?;
    browser.wait_for(IS_LIVE, &[], WITHIN).await?;
    let twice = browser.run(
        "return [...document.querySelectorAll('.row')].filter(row => row.innerText.includes('before the kill')).length;",
        &[],
    );
    ensure!(twice.await? == 1, "the record from before is not shown exactly once");
    Ok(())
}
