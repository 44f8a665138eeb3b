//! Alerts in a real browser: a rule is made, records make it fire, its incident is seen, told and acknowledged. A viewer reads
//! all of it and changes nothing.

use std::time::Duration;

use anyhow::{Result, ensure};
use insighthub_chaos_tests::browser::{Browser, named};
use insighthub_chaos_tests::dashboard;
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::demo_cluster::{
    ADMIN, ALERT_NAME, ALERT_TITLE, DemoCluster, Past, TOLD_AT, VIEWER,
};
use insighthub_chaos_tests::shared_start::Checks;

const WITHIN: Duration = Duration::from_secs(60);
const INCIDENTS: &str = "table.incidents tbody tr";
const RULES: &str = "table.rules tbody tr";
const TITLE: &str = "Printers are out of ink";
const SERVICE: &str = "printers";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_is_made_fires_is_told_and_acknowledged() -> Result<()> {
    let demo = DemoCluster::start(Past::SHORT).await?;
    let (browser, url) = (Browser::start().await?, demo.url()?);
    let (browser, demo, url) = (&browser, &demo, url.as_str());
    let mut checks = Checks::default();
    checks.check("a viewer sees what fires, and nothing to change it with", reads_only(browser, url)).await;
    checks
        .check("an admin makes a rule, after its mistakes were explained", makes_a_rule(browser, url))
        .await;
    checks.check("records make it fire, and it is told", fires(browser, demo)).await;
    checks.check("the incident is opened and acknowledged", acknowledges(browser, url)).await;
    checks.check("the rule is taken away", takes_away(browser, url)).await;
    checks.check("no request left the node", async { browser.ensure_asked_only(url).await.map(drop) }).await;
    checks.finish()
}

async fn reads_only(browser: &Browser, url: &str) -> Result<()> {
    dashboard::let_in(browser, url, VIEWER).await?;
    browser.open(&format!("{url}/alerts")).await?;
    browser.wait_for_text(INCIDENTS, ALERT_TITLE).await?;
    dashboard::settled(browser).await?;
    let buttons = browser.names_of("button").await?;
    ensure!(!buttons.iter().any(|name| name.contains("cknowledge")), "a viewer may press {buttons:?}");
    browser.click(named("link", "Rules")).await?;
    browser.wait_for_text(RULES, ALERT_NAME).await?;
    let (links, buttons) = (browser.names_of("link").await?, browser.names_of("button").await?);
    ensure!(
        !links.iter().any(|name| name == "New rule" || name == "Duplicate"),
        "a viewer may follow {links:?}"
    );
    let changes = ["Disable", "Enable", "Delete"];
    let is_change = |name: &String| changes.iter().any(|change| name.starts_with(change));
    ensure!(!buttons.iter().any(is_change), "a viewer may press {buttons:?}");
    Ok(())
}

async fn makes_a_rule(browser: &Browser, url: &str) -> Result<()> {
    dashboard::let_in(browser, url, ADMIN).await?;
    browser.open(&format!("{url}/alerts")).await?;
    browser.click(named("link", "Rules")).await?;
    browser.click(named("link", "New rule")).await?;
    browser.fill(named("textbox", "Title"), TITLE).await?;
    browser.select(named("combobox", "Fires on"), "A figure").await?;
    browser.fill(named("textbox", "Figure"), "count()").await?;
    browser.fill(named("textbox", "Threshold"), "many").await?;
    browser.fill(named("textbox", "Only records that meet"), "service:printers level:error").await?;
    browser.click(named("button", "Make rule")).await?;
    browser.wait_for_element(".field-problem").await?;
    browser.fill(named("textbox", "Threshold"), "4").await?;
    browser.click(named("checkbox", ALERT_NAME)).await?;
    browser.click(named("button", "Make rule")).await?;
    browser.wait_for_text(RULES, TITLE).await
}

async fn fires(browser: &Browser, demo: &DemoCluster) -> Result<()> {
    let before = demo.receiver.taken(TOLD_AT).len();
    demo.post(SERVICE, "error", &["no cyan"; 9]).await?;
    browser.click(named("link", "Incidents")).await?;
    browser.wait_for_text(INCIDENTS, TITLE).await?;
    let told = || async { demo.receiver.taken(TOLD_AT).len() > before };
    wait_until("the receiver hears of it", WITHIN, told).await?;
    let messages = demo.receiver.taken(TOLD_AT);
    let is_named = messages.iter().any(|message| message.json().to_string().contains("Printers"));
    ensure!(is_named, "no message names it: {messages:#?}");
    Ok(())
}

async fn acknowledges(browser: &Browser, url: &str) -> Result<()> {
    browser.open(&format!("{url}/alerts")).await?;
    browser.wait_for_text(INCIDENTS, TITLE).await?;
    // Newest first: it is the first of its name.
    let opened = "[...document.querySelectorAll('table.incidents tbody a')].find(link => link.textContent.includes(arguments[0]))?.click() ?? true";
    browser.run(opened, &[TITLE.into()]).await?;
    browser.wait_for_text(".incident", TITLE).await?;
    browser.click(named("button", "Acknowledge").inside(".incident")).await?;
    browser.fill(named("textbox", "Note").inside("dialog[open]"), "ink is on its way").await?;
    browser.click(named("button", "Acknowledge").inside("dialog[open]")).await?;
    browser.wait_until_gone("dialog[open]").await?;
    browser.wait_for_text(".incident", "ink is on its way").await?;
    browser.open(&format!("{url}/alerts")).await?;
    browser.wait_for_text(INCIDENTS, "ink is on its way").await
}

async fn takes_away(browser: &Browser, url: &str) -> Result<()> {
    browser.open(&format!("{url}/alerts")).await?;
    browser.click(named("link", "Rules")).await?;
    browser.click(named("button", &format!("Delete {TITLE}"))).await?;
    browser.click(named("button", "Delete rule").inside("dialog[open]")).await?;
    let is_gone = "![...document.querySelectorAll(arguments[0])].some(row => row.innerText.includes(arguments[1])) && \
        document.querySelector(arguments[0])";
    browser.wait_for(is_gone, &[RULES.into(), TITLE.into()], WITHIN).await
}
