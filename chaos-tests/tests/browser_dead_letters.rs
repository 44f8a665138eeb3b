//! Refused records in a real browser: found, mended and sent again by an admin; read, and no more, by a viewer.

use anyhow::{Result, ensure};
use insighthub_chaos_tests::browser::{Browser, named};
use insighthub_chaos_tests::dashboard;
use insighthub_chaos_tests::demo_cluster::{ADMIN, DemoCluster, MENDABLE, Past, VIEWER};
use insighthub_chaos_tests::shared_start::Checks;

const ROWS: &str = "table.dead-letters tbody tr";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_records_are_mended_and_sent_again() -> Result<()> {
    let demo = DemoCluster::start(Past::SHORT).await?;
    let (browser, url) = (Browser::start().await?, demo.url()?);
    let (browser, url) = (&browser, url.as_str());
    let mut checks = Checks::default();
    checks.check("a viewer reads why, and is offered nothing to send", reads_only(browser, url)).await;
    checks.check("an admin mends a record and finds it stored", mends(browser, url, &demo)).await;
    checks
        .check("a record sent again as it is is refused again, and stays", refused_again(browser, url))
        .await;
    checks.check("no request left the node", async { browser.ensure_asked_only(url).await.map(drop) }).await;
    checks.finish()
}

async fn reads_only(browser: &Browser, url: &str) -> Result<()> {
    dashboard::let_in(browser, url, VIEWER).await?;
    browser.open(&format!("{url}/dead-letters")).await?;
    for text in ["invoices", "mailer", "scheduler", "level"] {
        browser.wait_for_text(ROWS, text).await?;
    }
    narrow(browser, "invoices").await?;
    browser.click("table.dead-letters button").await?;
    browser.wait_for_element("textarea").await?;
    let usable = browser.names_of("button").await?;
    ensure!(!usable.iter().any(|name| name.contains("again")), "a viewer may press {usable:?}");
    let boxes = browser.names_of("checkbox").await?;
    ensure!(boxes.is_empty(), "a viewer may choose: {boxes:?}");
    Ok(())
}

async fn mends(browser: &Browser, url: &str, demo: &DemoCluster) -> Result<()> {
    dashboard::let_in(browser, url, ADMIN).await?;
    browser.open(&format!("{url}/dead-letters")).await?;
    narrow(browser, "invoices").await?;
    // The oldest of two, so the last.
    browser.click("table.dead-letters tbody tr:last-child button").await?;
    let kept = browser.value_of("textarea").await?;
    ensure!(kept == MENDABLE, "the record is shown as {kept}");
    browser.fill("textarea", "{\"service\": \"invoices\"").await?;
    browser.wait_for_text(".mend-form", "Not yet a JSON object").await?;
    browser.fill("textarea", &MENDABLE.replace("loud", "error")).await?;
    browser.click(named("button", "Send this again")).await?;
    browser.wait_for_text(".banner", "1 record stored").await?;
    let found = demo.admin()?.all_logs(&[("q", "service:invoices level:error")]).await?;
    ensure!(found.len() == 1, "{found:#?}");
    browser.open(&format!("{url}/explore?q=service:invoices")).await?;
    browser.wait_for_text(".list .row", "invoice 4711 was printed twice").await
}

async fn refused_again(browser: &Browser, url: &str) -> Result<()> {
    browser.open(&format!("{url}/dead-letters")).await?;
    narrow(browser, "invoices").await?;
    browser
        .wait_for(
            "document.querySelectorAll(arguments[0]).length === 1",
            &[ROWS.into()],
            dashboard::LOADED_WITHIN,
        )
        .await?;
    browser.click(named("checkbox", "Choose this record")).await?;
    browser.click(named("button", "Send 1 record again")).await?;
    browser.wait_for_text(".banner.failure", "refused again").await?;
    browser.wait_for_text(ROWS, "invoices").await
}

async fn narrow(browser: &Browser, service: &str) -> Result<()> {
    browser.fill(named("searchbox", "Service"), service).await?;
    browser.press(&["Enter"]).await?;
    let only = "[...document.querySelectorAll(arguments[0])].length > 0 && \
        [...document.querySelectorAll(arguments[0])].every(row => row.innerText.includes(arguments[1]))";
    browser.wait_for(only, &[ROWS.into(), service.into()], dashboard::LOADED_WITHIN).await
}
