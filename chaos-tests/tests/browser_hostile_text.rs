//! Markup and scripts in every field of a record, in what was refused and in the address of a page: nothing of it runs, and
//! nothing of it becomes an element, on any page.

use std::time::Duration;

use anyhow::{Result, ensure};
use insighthub_chaos_tests::browser::Browser;
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use serde_json::json;

const WITHIN: Duration = Duration::from_secs(20);
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

    let browser = Browser::start().await?;
    let url = node.url();
    let base = url.trim_end_matches('/');
    browser.open(base).await?;
    browser.wait_for("document.querySelector('.pill.live')", &[], LOADED_WITHIN).await?;
    let own = elements(&browser).await?;
    let reflected = "%3Cscript%3Edocument.title%3D'owned'%3C%2Fscript%3E";
    let pages = [
        ("live", String::new(), ".list .row"),
        (
            "an address with a payload",
            format!("/?q={reflected}&service={reflected}&level={reflected}"),
            "#search",
        ),
        (
            "a path with a payload",
            "/%3Csvg%20onload%3Ddocument%5B'title'%5D%3D'owned'%3E".to_owned(),
            "#search",
        ),
        ("search", "/?view=search&q=document".to_owned(), "#search"),
        ("dead letters", "/dead-letters".to_owned(), "main"),
        (
            "an address of dead letters",
            format!("/dead-letters?service={reflected}&reason={reflected}"),
            "main",
        ),
        ("the cluster", "/cluster".to_owned(), "main"),
    ];
    for (name, path, shows) in &pages {
        browser.open(&format!("{base}{path}")).await?;
        browser.wait_for(&format!("document.querySelector({:?})", shows), &[], WITHIN).await?;
        if *name == "live" || *name == "dead letters" {
            browser.wait_for("document.body.innerText.includes('owned')", &[], WITHIN).await?;
        }
        if *name == "live" {
            browser.click(".list .row").await?;
            browser.wait_for("document.querySelector('.details-message')", &[], WITHIN).await?;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        let title = browser.run("return document.title;", &[]).await?;
        ensure!(title == json!("InsightHub"), "{name}: a script ran: {title}");
        let found = elements(&browser).await?;
        ensure!(found == own, "{name}: what was text became elements: {found}, there were {own}");
    }
    let errors = browser.console_errors().await?;
    ensure!(errors.is_empty(), "errors on the console, the policy's among them: {errors:#?}");
    println!(
        "{} payloads in 5 fields, accepted and refused, on {} pages: none ran",
        payloads.len(),
        pages.len()
    );
    Ok(())
}

/// How many elements there are that could run something or lead elsewhere.
async fn elements(browser: &Browser) -> Result<serde_json::Value> {
    let script = "return ['script', 'img', 'iframe', 'object', 'embed', 'base', 'meta', 'style', 'video', 'form', 'marquee', 'template', \
                  '[onerror]', '[onload]', '[onfocus]', '[ontoggle]', '[href^=\"javascript\"]'] \
                  .map(name => name + ' ' + document.querySelectorAll(name).length).join(', ');";
    browser.run(script, &[]).await
}

/// As many bytes as a field takes.
fn cut(text: &str, bytes: usize) -> String {
    text.chars().take(bytes).collect()
}
