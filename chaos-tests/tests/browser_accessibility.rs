//! Nothing on any page stands in the way of people who cannot see, point or tell colours well: axe-core finds no fault, light
//! and dark, on a desktop and on a phone.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::binary::workspace;
use insighthub_chaos_tests::browser::{Browser, Size, Theme, named};
use insighthub_chaos_tests::dashboard::{self, PAGES};
use insighthub_chaos_tests::demo_cluster::{ADMIN, DemoCluster, Past};
use insighthub_chaos_tests::shared_start::Checks;
use serde::Deserialize;
use serde_json::json;

/// A long list on a slow machine.
const LOOKED_AT_WITHIN: Duration = Duration::from_secs(60);
/// What pages are held to: the W3C's guidelines at level AA, and what else is known to help (one main part, headings in order).
const RULES: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/// Rows of a list share their faults.
const PLACES_TOLD: usize = 3;

/// What a person does to open something.
#[derive(Debug, Clone, Copy)]
enum Step {
    Press(&'static [&'static str]),
    Click(&'static str, &'static str),
    ClickFirst(&'static str),
    Type(&'static str, &'static str),
}

/// What opens on pages: how it is called, where, how one gets there, and what shows that it is open. A new one is a line here.
type Opened = (&'static str, &'static str, &'static [Step], &'static str);
const OPENED: [Opened; 7] = [
    ("help", "cluster", &[Step::Press(&["?"])], "dialog[open]"),
    ("a record", "live", &[Step::Press(&["j", "Enter"])], ".details-message"),
    ("suggestions", "live", &[Step::Press(&["/"]), Step::Type("#search", "ser")], "#query-offers"),
    (
        "a list without records",
        "live",
        &[Step::Type("#search", "nowhere-to-be-found")],
        ".list .notice.empty",
    ),
    ("the time range", "explore", &[Step::Press(&["t"])], ".time-picker [role=dialog]"),
    ("a refused record", "dead-letters", &[Step::ClickFirst("table.dead-letters button")], "textarea"),
    ("a question before a change", "cluster", &[Step::Click("button", "Drain n3")], "dialog[open]"),
];

/// A rule that is broken, and where.
#[derive(Debug, Deserialize)]
struct Violation {
    rule: String,
    /// What must hold.
    help: String,
    places: Vec<Place>,
}

#[derive(Debug, Deserialize)]
struct Place {
    selector: String,
    html: String,
    why: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_has_obstacles() -> Result<()> {
    let axe = std::fs::read_to_string(axe_file())
        .with_context(|| format!("{} is missing: `cargo xtask test` installs it", axe_file().display()))?;
    let demo = DemoCluster::start(Past::SHORT).await?;
    let (browser, url) = (Browser::start().await?, demo.url()?);
    dashboard::let_in(&browser, &url, ADMIN).await?;
    let mut checks = Checks::default();
    for page in PAGES {
        for size in Size::ALL {
            for theme in Theme::ALL {
                let name = format!("{} on a {}, {}: no obstacles", page.name, size.name, theme.name());
                checks
                    .check(&name, async {
                        browser.set_size(size).await?;
                        browser.set_theme(theme).await?;
                        page.open(&browser, &url).await?;
                        dashboard::ensure_well(&browser).await?;
                        let found = look(&browser, &axe, &[]).await?;
                        ensure!(found.is_empty(), "{}", told(&found));
                        Ok(())
                    })
                    .await;
            }
        }
    }
    for (what, page, steps, shows) in OPENED {
        for (size, theme) in [(Size::DESKTOP, Theme::Light), (Size::PHONE, Theme::Dark)] {
            let name = format!("{what} on a {}, {}: no obstacles", size.name, theme.name());
            checks
                .check(&name, async {
                    browser.set_size(size).await?;
                    browser.set_theme(theme).await?;
                    let page = PAGES.iter().find(|known| known.name == page).context("no such page")?;
                    page.open(&browser, &url).await?;
                    for step in steps {
                        take(&browser, *step).await?;
                    }
                    browser.wait_for_element(shows).await?;
                    dashboard::settled(&browser).await?;
                    let found = look(&browser, &axe, &COVERED).await?;
                    ensure!(found.is_empty(), "{}", told(&found));
                    Ok(())
                })
                .await;
        }
    }
    checks.finish()
}

async fn take(browser: &Browser, step: Step) -> Result<()> {
    match step {
        Step::Press(keys) => browser.press(keys).await,
        Step::Click(role, name) => browser.click(named(role, name)).await,
        Step::ClickFirst(selector) => browser.click(selector).await,
        Step::Type(selector, text) => browser.type_into(selector, text).await,
    }
}

/// The tool finds what is wrong where something is: a test of the test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_obstacle_is_found() -> Result<()> {
    let axe =
        std::fs::read_to_string(axe_file()).context("axe-core is missing: `cargo xtask test` installs it")?;
    let browser = Browser::start().await?;
    browser.open("data:text/html,<html lang=en><title>x</title><main><h1>x</h1><img src='data:,'><p style='color:%23ccc'>pale</p></main>").await?;
    let found = look(&browser, &axe, &[]).await?;
    let rules: Vec<&str> = found.iter().map(|violation| violation.rule.as_str()).collect();
    ensure!(rules == ["color-contrast", "image-alt"], "{}", told(&found));
    Ok(())
}

/// What lies half under an open part is no target until that is shut.
const COVERED: [&str; 1] = ["target-size"];

/// `left_out`: rules that do not hold in this state of the page.
async fn look(browser: &Browser, axe: &str, left_out: &[&str]) -> Result<Vec<Violation>> {
    // Not by an element of the page: its policy allows no script but its own.
    browser.run(axe, &[]).await?;
    let script = "const [tags, leftOut, done] = arguments; \
        const rules = Object.fromEntries(leftOut.map(rule => [rule, { enabled: false }])); \
        const place = node => ({ selector: node.target.join(' '), html: node.html.slice(0, 300), \
            why: node.failureSummary ?? '' }); \
        axe.run(document, { runOnly: { type: 'tag', values: tags }, rules, resultTypes: ['violations'] }).then( \
            result => done(result.violations.map(it => ({ rule: it.id, help: it.help, places: it.nodes.map(place) }))), \
            error => done(String(error)));";
    let found = browser.run_async(script, &[json!(RULES), json!(left_out)], LOOKED_AT_WITHIN).await?;
    serde_json::from_value(found.clone()).with_context(|| format!("axe-core failed: {found}"))
}

fn told(violations: &[Violation]) -> String {
    let one = |violation: &Violation| {
        let places = violation.places.iter().take(PLACES_TOLD).map(|place| {
            let why = place.why.lines().map(str::trim).collect::<Vec<_>>().join(" ");
            format!("\n    {}\n      {}\n      {why}", place.selector, place.html)
        });
        let count = violation.places.len();
        format!("\n  {} ({count} places): {}{}", violation.rule, violation.help, places.collect::<String>())
    };
    violations.iter().map(one).collect()
}

fn axe_file() -> PathBuf {
    workspace().join("chaos-tests/accessibility/node_modules/axe-core/axe.min.js")
}
