//! From an empty cache to the first paint, and what that brings over the wire.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::json;

use super::figures::{Figures, percentile};
use crate::browser::Browser;

const WITHIN: Duration = Duration::from_secs(60);
/// Notes when the page itself is drawn, not only the words that it is being loaded.
const WATCH: &str = "(() => { const look = () => { if (document.querySelector('main h1')) { \
    requestAnimationFrame(() => { globalThis.drawn_ms = performance.now(); }); } else { requestAnimationFrame(look); } }; \
    requestAnimationFrame(look); })();";

/// One load of the page; times in ms since it was asked for.
#[derive(Debug, Deserialize)]
struct Load {
    first_paint_ms: f64,
    drawn_ms: f64,
    /// Of the page and what it is made of, as they came over the wire, heads included.
    wire_bytes: u64,
    requests: u64,
}

/// Loads a page several times, each time with nothing in the cache.
pub async fn measure(url: &str, loads: usize, figures: &mut Figures) -> Result<()> {
    ensure!(loads > 0, "a page is loaded at least once");
    let mut measured = Vec::new();
    for number in 1..=loads {
        // A browser of its own: what is compiled is cached apart, and cannot be thrown away.
        let browser = Browser::start_unwatched().await?;
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": WATCH })).await?;
        browser.open(url).await?;
        browser.wait_for("globalThis.drawn_ms > 0", &[], WITHIN).await?;
        let load = load(&browser).await?;
        println!(
            "  load {number} of {loads}: first paint {:.0} ms, page {:.0} ms",
            load.first_paint_ms, load.drawn_ms
        );
        measured.push(load);
    }
    let times = |of: fn(&Load) -> f64| {
        let values: Vec<f64> = measured.iter().map(of).collect();
        let (median, worst) = (percentile(&values, 0.5), percentile(&values, 1.0));
        format!("median {:.0}, worst {:.0} ms of {loads}", median.unwrap_or(0.0), worst.unwrap_or(0.0))
    };
    figures.add("first paint, nothing cached", times(|load| load.first_paint_ms), "aim: 1,000 ms");
    figures.add("page drawn, nothing cached", times(|load| load.drawn_ms), "");
    let last = measured.last().context("no load")?;
    let kib = last.wire_bytes as f64 / 1024.0;
    figures.add("over the wire", format!("{kib:.0} KiB in {} requests", last.requests), "aim: 600 KB");
    Ok(())
}

async fn load(browser: &Browser) -> Result<Load> {
    // What the page asks of the API is counted with it: it belongs to what a reader waits for.
    let script = "const paint = performance.getEntriesByType('paint').find(it => it.name === 'first-contentful-paint'); \
        const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]; \
        return { first_paint_ms: paint.startTime, drawn_ms: globalThis.drawn_ms, requests: all.length, \
            wire_bytes: all.reduce((sum, it) => sum + it.transferSize, 0) };";
    Ok(serde_json::from_value(browser.run(script, &[]).await?)?)
}
