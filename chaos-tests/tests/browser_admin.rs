//! The Admin page in a real browser: users, tokens, how long logs are kept, and the trail of what was done.

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::browser::{Browser, named};
use insighthub_chaos_tests::dashboard::{self, LOADED_WITHIN};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::demo_cluster::{ADMIN, DemoCluster, Login, Past, VIEWER};
use insighthub_chaos_tests::shared_start::Checks;
use serde_json::json;

const NEW: Login<'static> = Login { user: "nora", password: "a newcomer's canary", role: "admin" };
const DAYS: &str = "400";
const ROW_SAYS: &str = "[...document.querySelectorAll('main tbody tr')].some(row => \
    arguments[0].every(text => row.innerText.includes(text)))";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_lets_people_and_programs_in_and_it_is_written_down() -> Result<()> {
    let demo = DemoCluster::start(Past::SHORT).await?;
    let (browser, url) = (Browser::start().await?, demo.url()?);
    let (browser, url) = (&browser, url.as_str());
    let mut checks = Checks::default();
    checks.check("a viewer is told that this is for admins", is_for_admins(browser, url)).await;
    dashboard::let_in(browser, url, ADMIN).await?;
    checks.check("a user is made, becomes an admin and signs in", user(browser, url, &demo)).await;
    checks.check("a token is made, shown once and opens what it should", token(browser, url, &demo)).await;
    checks
        .check("how long logs are kept is set after what it deletes was said", retention(browser, url, &demo))
        .await;
    checks.check("the trail has it all, and can be narrowed", audit(browser, url)).await;
    checks.end_well(browser, url).await;
    checks.finish()
}

async fn open(browser: &Browser, url: &str, tab: &str) -> Result<()> {
    browser.open(&format!("{url}/admin")).await?;
    browser.click(named("link", tab).inside("main nav")).await?;
    dashboard::settled(browser).await
}

async fn row_says(browser: &Browser, texts: &[&str]) -> Result<()> {
    browser.wait_for(ROW_SAYS, &[json!(texts)], LOADED_WITHIN).await
}

async fn is_for_admins(browser: &Browser, url: &str) -> Result<()> {
    dashboard::let_in(browser, url, VIEWER).await?;
    browser.open(&format!("{url}/admin?tab=tokens")).await?;
    browser.wait_for_text("main .notice", "This is for admins").await?;
    let tabs = browser.texts("main nav a").await?;
    ensure!(tabs == ["Own password"], "a viewer is offered {tabs:?}");
    Ok(())
}

async fn user(browser: &Browser, url: &str, demo: &DemoCluster) -> Result<()> {
    open(browser, url, "Users").await?;
    browser.click(named("button", "Add a user")).await?;
    browser.fill(named("textbox", "Name").inside("dialog"), NEW.user).await?;
    browser.fill("dialog input[type=password]", "short").await?;
    browser.click(named("button", "Add user").inside("dialog")).await?;
    browser.wait_for_text("dialog", "12").await?;
    // The refused request is on the console, and meant to be.
    drop(browser.console_errors().await?);
    browser.fill("dialog input[type=password]", NEW.password).await?;
    browser.click(named("button", "Add user").inside("dialog")).await?;
    row_says(browser, &[NEW.user, "viewer"]).await?;
    browser.click(named("button", &format!("Change role: {}", NEW.user))).await?;
    browser.wait_for_text("dialog", "Make nora an admin?").await?;
    browser.click(named("button", "Make admin").inside("dialog")).await?;
    row_says(browser, &[NEW.user, "admin"]).await?;
    let own = Api::new(&demo.url()?)?.signed_in(NEW.user, NEW.password);
    own.get("/api/users", &[]).await?.expect(200)
}

async fn token(browser: &Browser, url: &str, demo: &DemoCluster) -> Result<()> {
    open(browser, url, "Tokens").await?;
    browser.click(named("button", "Make a token")).await?;
    browser.fill("dialog #field-name", "lighthouse keeper").await?;
    browser.fill("dialog #field-service", "lighthouse").await?;
    browser.click(named("button", "Make token").inside("dialog")).await?;
    let secret = browser.text_of("dialog pre.secret").await?;
    browser.click(named("button", "I have it").inside("dialog")).await?;
    browser.wait_until_gone("dialog[open]").await?;
    row_says(browser, &["lighthouse keeper", "write", "lighthouse"]).await?;
    let page = browser.run("return document.body.innerText;", &[]).await?;
    ensure!(!page.as_str().unwrap_or_default().contains(&secret), "the secret is still on the page");
    let program = Api::new(&demo.url()?)?.bearing(&secret);
    let record = |service: &str| json!({ "service": service, "level": "INFO", "message": "the lamp is lit" });
    program.post_json("/api/logs", &record("lighthouse")).await?.expect(200)?;
    let other = program.post_json("/api/logs", &record("harbour")).await?;
    let is_refused = other.status == 400 && other.text.contains("may only write to service");
    ensure!(is_refused, "another service's record is answered {} {}", other.status, other.text);
    Ok(())
}

async fn retention(browser: &Browser, url: &str, demo: &DemoCluster) -> Result<()> {
    open(browser, url, "Retention").await?;
    browser.fill("#field-default_days", DAYS).await?;
    browser.click(named("button", "Save")).await?;
    browser.wait_for_text("dialog[open]", &format!("older than {DAYS} days")).await?;
    browser.click(named("button", "Cancel").inside("dialog")).await?;
    let admin = demo.admin()?;
    let days = || async {
        Ok::<_, anyhow::Error>(admin.get("/api/settings/retention", &[]).await?.number("default_days"))
    };
    ensure!(days().await?.is_none(), "a change that was not confirmed is kept");
    browser.click(named("button", "Save")).await?;
    browser.click(named("button", "Save and delete").inside("dialog")).await?;
    wait_until("the days are kept", LOADED_WITHIN, || async {
        days().await.is_ok_and(|days| days == Some(400))
    })
    .await?;
    open(browser, url, "Retention").await?;
    let shown = browser.value_of("#field-default_days").await?;
    ensure!(shown == DAYS, "the page shows {shown}");
    Ok(())
}

async fn audit(browser: &Browser, url: &str) -> Result<()> {
    open(browser, url, "Audit trail").await?;
    for texts in [
        ["user.create", NEW.user, ADMIN.user],
        ["user.set_role", NEW.user, ADMIN.user],
        ["token.create", "lighthouse", ADMIN.user],
        ["retention.set", DAYS, ADMIN.user],
    ] {
        row_says(browser, &texts).await.with_context(|| format!("{texts:?}"))?;
    }
    browser.select(named("combobox", "Every action"), "user.set_role").await?;
    let only = "(rows => rows.length === 1 && rows[0].innerText.includes('user.set_role'))\
        ([...document.querySelectorAll('main tbody tr')])";
    browser.wait_for(only, &[], LOADED_WITHIN).await?;
    browser.wait_for("location.search.includes('user.set_role')", &[], LOADED_WITHIN).await
}
