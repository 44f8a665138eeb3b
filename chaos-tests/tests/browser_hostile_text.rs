//! Markup and scripts in every field of a record, in what was refused and in the address of a page: nothing of it runs, and
//! nothing of it becomes an element, on any page.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::browser::Browser;
use insighthub_chaos_tests::dashboard;
use insighthub_chaos_tests::demo_cluster::Login;
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use serde_json::{Value, json};

/// Loading WebAssembly that no cache holds, on a machine that also builds.
const LOADED_WITHIN: Duration = Duration::from_secs(60);
/// What each payload does if it runs.
const DEED: &str = "document.title='owned'";
/// Ways to have it run.
const VECTORS: [&str; 20] = [
    "<script>DEED</script>",
    "<img src=x onerror=\"DEED\">",
    "<svg onload=\"DEED\">",
    "<svg><script>DEED</script></svg>",
    "<iframe srcdoc=\"<script>parent.DEED</script>\"></iframe>",
    "<a href=\"javascript:DEED\" autofocus onfocus=\"DEED\">x</a>",
    "<input autofocus onfocus=\"DEED\">",
    "<details open ontoggle=\"DEED\">",
    "<video><source onerror=\"DEED\"></video>",
    "<body onload=\"DEED\">",
    "<math><mtext><table><mglyph><style><img src=x onerror=\"DEED\">",
    "<object data=\"javascript:DEED\"></object>",
    "<embed src=\"javascript:DEED\">",
    "<meta http-equiv=\"refresh\" content=\"0;url=javascript:DEED\">",
    "<base href=\"https://evil.example/\">",
    "<form action=\"javascript:DEED\"><button autofocus>x</button></form>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<template><script>DEED</script></template><script>DEED</script>",
    "<marquee onstart=\"DEED\">x</marquee>",
    "{{constructor.constructor('DEED')()}}",
];
/// Ways out of where a text may stand.
const BREAKOUTS: [&str; 5] = ["", "\">", "'>", "-->", "</script></style></textarea></title>"];

fn payloads() -> Vec<String> {
    let vectors = VECTORS.iter().map(|vector| vector.replace("DEED", DEED));
    vectors.flat_map(|vector| BREAKOUTS.map(|breakout| format!("{breakout}{vector}"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_a_log_holds_runs_on_any_page() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    let (api, payloads) = (node.api()?, payloads());
    ensure!(payloads.len() == 100);
    let mut lines = String::new();
    for payload in &payloads {
        let (service, key) = (cut(payload, 120), cut(payload, 200));
        let record = json!({ "service": service, "level": "ERROR", "message": payload, "userId": payload, key: payload });
        lines.push_str(&format!("{record}\n"));
        // Refused, and kept: the level is none.
        let refused = json!({ "service": service, "level": payload, "message": payload });
        lines.push_str(&format!("{refused}\n"));
    }
    let answer = api.ingest(&[("content-type", "application/x-ndjson")], lines.into()).await?;
    ensure!(
        answer.number("accepted") == Some(100) && answer.number("rejected") == Some(100),
        "{}",
        answer.text
    );

    let told = json!({ "title": payloads[5], "filter": "service:none", "owner": payloads[1],
        "condition": { "query": { "value": "count()", "is": ">", "threshold": 1 } } });
    node.admin_api()?.put_json("/api/alerts/rules/hostile", &told).await?.expect(200)?;

    let browser = Browser::start().await?;
    let url = node.url();
    let admin = Login { user: "admin", password: node.admin_password()?, role: "admin" };
    dashboard::let_in(&browser, &url, admin).await?;
    let reflected = "%3Cscript%3Edocument.title%3D'owned'%3C%2Fscript%3E";
    let every = dashboard::PAGES.iter().map(|page| (page.name, page.path.to_owned()));
    let addresses = [
        ("live, filled by its address", format!("/live?q={reflected}&service={reflected}&level={reflected}")),
        (
            "explore, filled by its address",
            format!("/explore?q={reflected}&service={reflected}&level={reflected}"),
        ),
        (
            "dead letters, filled by their address",
            format!("/dead-letters?service={reflected}&reason={reflected}"),
        ),
        ("a path that is none", "/%3Csvg%20onload%3Ddocument%5B'title'%5D%3D'owned'%3E".to_owned()),
        ("an explored payload", "/explore?q=document".to_owned()),
    ];
    let mut own = None;
    let mut looked_at = 0;
    for (name, path) in every.chain(addresses) {
        look(&browser, &format!("{url}{path}"), &mut own).await.with_context(|| name.to_owned())?;
        looked_at += 1;
    }
    browser.open(&format!("{url}/live")).await?;
    browser.wait_for_text(".list .row", "owned").await?;
    browser.click(".list .row").await?;
    browser.wait_for_text(".details-message", "owned").await?;
    ensure_unharmed(&browser, &mut own).await.context("a record that is opened")?;
    let errors = browser.console_errors().await?;
    ensure!(errors.is_empty(), "errors on the console, the policy's among them: {errors:#?}");
    browser.ensure_asked_only(&url).await?;
    println!("{} payloads in 5 fields, accepted and refused, on {looked_at} pages: none ran", payloads.len(),);
    Ok(())
}

/// Opens a page and looks at what became of the texts.
async fn look(browser: &Browser, address: &str, own: &mut Option<Value>) -> Result<()> {
    browser.open(address).await?;
    browser.wait_for("document.querySelector('main h1')", &[], LOADED_WITHIN).await?;
    dashboard::settled(browser).await?;
    ensure_unharmed(browser, own).await
}

/// Nothing ran, and there are as many elements that could run something as on the first page that was looked at.
async fn ensure_unharmed(browser: &Browser, own: &mut Option<Value>) -> Result<()> {
    let title = browser.run("return document.title;", &[]).await?;
    let is_own = title.as_str().is_some_and(|title| title.ends_with("InsightHub"));
    ensure!(is_own, "a script ran: the title is {title}");
    let found = elements(browser).await?;
    let own = own.get_or_insert_with(|| found.clone());
    ensure!(found == *own, "what was text became elements: {found}, there were {own}");
    Ok(())
}

/// How many elements there are that could run something or lead elsewhere.
async fn elements(browser: &Browser) -> Result<serde_json::Value> {
    let script = "return ['script', 'img', 'iframe', 'object', 'embed', 'base', 'meta', 'style', 'video', 'marquee', 'template', '[action]', \
                  '[onerror]', '[onload]', '[onfocus]', '[ontoggle]', '[href^=\"javascript\"]'] \
                  .map(name => name + ' ' + document.querySelectorAll(name).length).join(', ');";
    browser.run(script, &[]).await
}

/// As many bytes as a field takes.
fn cut(text: &str, bytes: usize) -> String {
    text.chars().take(bytes).collect()
}
