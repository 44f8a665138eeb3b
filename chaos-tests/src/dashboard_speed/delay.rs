//! From the moment a client sends a record until it stands on the live page.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::figures::{Figures, spread_ms};
use crate::api::Api;
use crate::browser::Browser;
use crate::chaos_record::now;

const WITHIN: Duration = Duration::from_secs(20);
/// Between two posts, so that none shares the way of the one before.
const PAUSE: Duration = Duration::from_millis(150);
/// Notes when each mark is first drawn, by the clock that this process has too.
const WATCH: &str = "globalThis.drawn_at_ms = {}; \
    const look = () => { for (const row of document.querySelectorAll('.list .row')) { \
        const mark = row.textContent.match(/speed-mark-\\d+/)?.[0]; \
        if (mark && !(mark in drawn_at_ms)) { drawn_at_ms[mark] = null; \
            requestAnimationFrame(() => { drawn_at_ms[mark] = performance.timeOrigin + performance.now(); }); } } }; \
    new MutationObserver(look).observe(document.querySelector('main'), { subtree: true, childList: true, characterData: true });";

/// Posts records one by one and waits for each.
pub async fn measure(url: &str, api: &Api, posts: usize, figures: &mut Figures) -> Result<()> {
    let browser = Browser::start_unwatched().await?;
    browser.open(&format!("{url}/live")).await?;
    browser.wait_for("document.querySelector('.pill.live')", &[], WITHIN).await?;
    browser.run(WATCH, &[]).await?;
    let mut delays_ms = Vec::new();
    for number in 0..posts {
        let mark = format!("speed-mark-{number}");
        let record = json!({ "service": "stopwatch", "level": "INFO", "message": mark });
        let sent_at = now();
        let answer = api.post_json("/api/logs", &record).await?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.text);
        browser.wait_for("globalThis.drawn_at_ms[arguments[0]] > 0", &[json!(mark)], WITHIN).await?;
        let drawn = browser.run("return globalThis.drawn_at_ms[arguments[0]];", &[json!(mark)]).await?;
        delays_ms.push(drawn.as_f64().context("no time")? - sent_at.0 as f64 / 1e6);
        tokio::time::sleep(PAUSE).await;
    }
    figures.add("from post to screen, otherwise idle", spread_ms(&delays_ms), "aim: p50 200 ms");
    Ok(())
}
