//! What one takes along from the Explore page: a saved view, the link to one record, and everything that was found as a file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::browser::{Browser, named};
use insighthub_chaos_tests::dashboard::{self, LOADED_WITHIN};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::demo_cluster::{ADMIN, DemoCluster, FAILING_SERVICE, Past, VIEWER};
use insighthub_chaos_tests::shared_start::Checks;
use serde_json::{Value, json};

const ROWS: &str = ".list .row";
const TITLE: &str = "Tills that fail";
const QUERY: &str = "?q=service:tills&level=ERROR&from=-3h&tab=patterns";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_found_is_taken_along() -> Result<()> {
    let demo = DemoCluster::start(Past::SHORT).await?;
    let (browser, url) = (Browser::start().await?, demo.url()?);
    let (browser, url) = (&browser, url.as_str());
    let mut checks = Checks::default();
    dashboard::let_in(browser, url, ADMIN).await?;
    checks.check("a view is saved under a title", saves(browser, url)).await;
    checks.check("a viewer opens it, and is not offered to remove it", opens(browser, url)).await;
    checks.check("whoever may removes it, and it is gone for everybody", removes(browser, url, &demo)).await;
    checks.check("the link to a record opens it for somebody else", links(browser, url)).await;
    checks.check("the file has every record of the search", exports(browser, url, &demo)).await;
    checks.check("a Parquet file comes through its link", exports_parquet(browser, url)).await;
    checks.end_well(browser, url).await;
    checks.finish()
}

async fn open(browser: &Browser, url: &str, query: &str) -> Result<()> {
    browser.open("about:blank").await?;
    browser.open(&format!("{url}/explore{query}")).await?;
    browser.wait_for_element(".histogram-frame").await?;
    dashboard::settled(browser).await
}

async fn saves(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, QUERY).await?;
    browser.click(named("button", "Views")).await?;
    browser.wait_for_text(".menu-list", "No view is saved yet").await?;
    browser.click(named("button", "Save this view")).await?;
    browser.fill(named("textbox", "Title").inside("dialog"), TITLE).await?;
    browser.click(named("button", "Save").inside("dialog")).await?;
    browser.wait_until_gone("dialog[open]").await?;
    browser.click(named("button", "Views")).await?;
    browser.wait_for_text(".views", TITLE).await
}

async fn opens(browser: &Browser, url: &str) -> Result<()> {
    dashboard::let_in(browser, url, VIEWER).await?;
    open(browser, url, "").await?;
    browser.click(named("button", "Views")).await?;
    browser.wait_for_text(".views", TITLE).await?;
    let names = browser.names_of("button").await?;
    ensure!(!names.iter().any(|name| name.starts_with("Remove")), "a viewer may press {names:?}");
    browser.click(named("link", TITLE)).await?;
    let is_open = "location.search.includes('tab=patterns') && location.search.includes('level=ERROR') && \
        document.querySelector('[role=tab][aria-selected=true]').innerText === 'Patterns'";
    browser.wait_for(is_open, &[], LOADED_WITHIN).await?;
    browser.wait_for_text("table.patterns tbody tr", "no route to the bank").await
}

async fn removes(browser: &Browser, url: &str, demo: &DemoCluster) -> Result<()> {
    dashboard::let_in(browser, url, ADMIN).await?;
    open(browser, url, "").await?;
    browser.click(named("button", "Views")).await?;
    browser.click(named("button", &format!("Remove {TITLE}"))).await?;
    browser.click(named("button", "Remove").inside("dialog")).await?;
    browser.wait_until_gone("dialog[open]").await?;
    let views = demo.admin()?.get("/api/views", &[]).await?;
    ensure!(views.status == 200 && !views.text.contains(TITLE), "{}", views.text);
    Ok(())
}

async fn links(browser: &Browser, url: &str) -> Result<()> {
    let granted = json!({ "origin": url, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    browser.devtools("Browser.grantPermissions", &granted).await?;
    open(browser, url, &format!("?q=service:{FAILING_SERVICE}")).await?;
    browser.click(format!("{ROWS} .service").as_str()).await?;
    let message = browser.text_of(".details-message").await?;
    browser.click(named("button", "Copy link").inside(".details")).await?;
    browser.wait_for_text(".details-head", "Copied").await?;
    let read =
        "const done = arguments[0]; navigator.clipboard.readText().then(done, error => done(String(error)));";
    let link = browser.run_async(read, &[], LOADED_WITHIN).await?;
    let link = link.as_str().context("nothing was copied")?;
    ensure!(link.starts_with(url) && link.contains("log_id="), "the link is {link}");
    // Somebody who looks at something else, and is nobody here.
    browser.devtools("Network.clearBrowserCookies", &json!({})).await?;
    browser.open(&format!("{url}/cluster")).await?;
    browser.open(link).await?;
    browser.wait_for_text(".details-message", &message).await
}

async fn exports(browser: &Browser, url: &str, demo: &DemoCluster) -> Result<()> {
    let text = String::from_utf8(downloaded(browser, url, "ndjson").await?)?;
    let saved: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    // Nothing is sent any more, so the range that moves on can only lose what is three hours old.
    let oldest = saved.last().and_then(|record| record["timestamp"].as_str()).context("the file is empty")?;
    let stored = demo.admin()?.all_logs(&[("q", "service:web-gateway"), ("from", oldest)]).await?;
    ensure!(saved.len() > 1_000, "only {} records were saved", saved.len());
    ensure!(saved.len() == stored.len(), "{} of {} were saved", saved.len(), stored.len());
    for (saved, stored) in saved.iter().zip(&stored) {
        ensure!(saved["log_id"] == stored["log_id"], "{saved} where {stored} is stored");
        ensure!(saved["message"] == stored["message"], "{saved} where {stored} is stored");
    }
    Ok(())
}

/// What the export gives in this form is tested where it is made; here a whole file must come through the link.
async fn exports_parquet(browser: &Browser, url: &str) -> Result<()> {
    const MAGIC: &[u8] = b"PAR1";
    let bytes = downloaded(browser, url, "parquet").await?;
    ensure!(bytes.starts_with(MAGIC) && bytes.ends_with(MAGIC), "{} bytes are no whole file", bytes.len());
    ensure!(bytes.len() > 10_000, "{} bytes hold no thousand records", bytes.len());
    Ok(())
}

/// The file that the export menu gives in this form.
async fn downloaded(browser: &Browser, url: &str, format: &str) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let kept = json!({ "behavior": "allow", "downloadPath": folder.path() });
    browser.devtools("Browser.setDownloadBehavior", &kept).await?;
    open(browser, url, "?q=service:web-gateway&from=-3h").await?;
    browser.click(named("button", "Export")).await?;
    browser.click(&*format!(".export-links a[href*=\"format={format}\"]")).await?;
    let file = || finished(folder.path(), format);
    wait_until("a file is saved", LOADED_WITHIN, || async { file().is_some() }).await?;
    Ok(std::fs::read(file().context("no file")?)?)
}

/// The file in the folder, once all of it is there. The browser writes under another name and renames; that the name is free for
/// it, it has made sure of with an empty file.
fn finished(folder: &Path, ending: &str) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    files.into_iter().find(|path| {
        path.extension().is_some_and(|found| found == ending)
            && path.metadata().is_ok_and(|metadata| metadata.len() > 0)
    })
}
