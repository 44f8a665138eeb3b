//! A screen of 3840 by 2160: nothing is wider than it, and no text runs on so far that the eye loses the line.

use anyhow::{Result, ensure};
use insighthub_chaos_tests::browser::{Browser, Size};
use insighthub_chaos_tests::dashboard::{self, PAGES};
use insighthub_chaos_tests::demo_cluster::{ADMIN, DemoCluster, Past};
use insighthub_chaos_tests::shared_start::Checks;
use serde_json::json;

const WIDE: Size = Size { name: "wide", width: 3840, height: 2160, scale: 1.0, is_phone: false };
/// What is read, not looked up: letters in a line.
const LETTERS_MAX: u32 = 120;
/// Further views of pages, each of which has another layout.
const VIEWS: [(&str, &str); 6] = [
    ("/explore?tab=patterns", "table.patterns tbody tr"),
    ("/explore?tab=group&as=bars", ".bar-series"),
    ("/explore?tab=query&query=*+%7C+stats+count()+by+service", "main table tbody tr"),
    ("/alerts?tab=rules", "main table tbody tr"),
    ("/admin?tab=retention", "main form"),
    ("/admin?tab=audit", "main table tbody tr"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_fill_a_wide_screen_and_can_be_read_on_it() -> Result<()> {
    let demo = DemoCluster::start(Past::SHORT).await?;
    let (browser, url) = (Browser::start().await?, demo.url()?);
    let (browser, url) = (&browser, url.as_str());
    dashboard::let_in(browser, url, ADMIN).await?;
    browser.set_size(WIDE).await?;
    let mut checks = Checks::default();
    for page in PAGES {
        checks
            .check(&format!("{} on a wide screen", page.name), async {
                page.open(browser, url).await?;
                fits(browser).await
            })
            .await;
    }
    for (path, shows) in VIEWS {
        checks
            .check(&format!("{path} on a wide screen"), async {
                browser.open(&format!("{url}{path}")).await?;
                browser.wait_for_element(shows).await?;
                dashboard::settled(browser).await?;
                fits(browser).await
            })
            .await;
    }
    checks.end_well(browser, url).await;
    checks.finish()
}

async fn fits(browser: &Browser) -> Result<()> {
    let widths = browser.run("return [document.documentElement.scrollWidth, innerWidth];", &[]).await?;
    let [content, screen]: [u32; 2] = serde_json::from_value(widths)?;
    ensure!(content <= screen, "the page is {content} pixels wide on a screen of {screen}");
    // A letter is half as wide as high, on average. What is code is looked up.
    let script = "return [...document.querySelectorAll('main p, main li > p, main dd')].map(it => { \
        const range = document.createRange(); range.selectNodeContents(it); \
        const letters = range.getBoundingClientRect().width / (parseFloat(getComputedStyle(it).fontSize) / 2); \
        return [Math.round(letters), it.innerText]; }) \
        .filter(([letters, text]) => letters > arguments[0] && text.length > arguments[0]);";
    let long: Vec<(u32, String)> = serde_json::from_value(browser.run(script, &[json!(LETTERS_MAX)]).await?)?;
    ensure!(long.is_empty(), "lines of so many letters: {long:#?}");
    // The navigation and the page beside it reach from edge to edge.
    let right =
        browser.run("return document.querySelector('main').getBoundingClientRect().right;", &[]).await?;
    ensure!(
        right.as_f64().is_some_and(|right| right > f64::from(WIDE.width) * 0.98),
        "the page ends at {right}"
    );
    Ok(())
}
