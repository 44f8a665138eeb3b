//! The live page while records rush in: how smoothly it draws, what it shows of them, what it keeps in memory.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use super::figures::{Figures, spread_ms};
use crate::api::Api;
use crate::browser::Browser;

/// Batches leave this often, as from many clients.
const TICK: Duration = Duration::from_millis(50);
const TICKS_PER_SEC: u64 = 20;
const SERVICES: [&str; 8] =
    ["auth", "cart", "checkout", "inventory", "payment", "search", "shipping", "web-gateway"];
/// A frame that takes longer is seen.
const FRAME_MS_MAX: f64 = 50.0;
const WITHIN: Duration = Duration::from_secs(60);
/// Notes the time between drawings until it is told to stop.
const WATCH: &str = "const seen = globalThis.frames_ms = []; let last = performance.now(); \
    const tick = now => { seen.push(now - last); last = now; if (globalThis.frames_ms === seen) requestAnimationFrame(tick); }; \
    requestAnimationFrame(tick);";

/// How much comes, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Rush {
    pub records_per_sec: u64,
    pub length: Duration,
}

#[derive(Debug, Deserialize)]
struct Seen {
    frames_ms: Vec<f64>,
    /// What the page says of itself.
    says: String,
}

/// Opens the live page, lets records rush in and looks at what became of it.
pub async fn measure(url: &str, api: &Api, rush: Rush, figures: &mut Figures) -> Result<()> {
    let browser = Browser::start_unwatched().await?;
    browser.open(&format!("{url}/live")).await?;
    browser.wait_for("document.querySelector('.pill.live')", &[], WITHIN).await?;
    let still = heap_bytes(&browser).await?;
    browser.run(WATCH, &[]).await?;
    let began = Instant::now();
    let sent = send(api, rush).await?;
    let took = began.elapsed().as_secs_f64();
    let script = "const frames_ms = globalThis.frames_ms; globalThis.frames_ms = null; \
        const bar = document.querySelector('.stream-bar'); \
        return { frames_ms, says: bar ? bar.innerText.replace(/\\s+/g, ' ') : '' };";
    let seen: Seen = serde_json::from_value(browser.run(script, &[]).await?)?;
    let heap = heap_bytes(&browser).await?;
    ensure!(!seen.frames_ms.is_empty(), "no frame was drawn");
    let rate = sent as f64 / took;
    figures.add("records taken in meanwhile", format!("{sent} in {took:.1} s, {rate:.0} a second"), "");
    figures.add("live page, time between frames", spread_ms(&seen.frames_ms), "");
    let slow = seen.frames_ms.iter().filter(|ms| **ms > FRAME_MS_MAX).count();
    let share = 100.0 * slow as f64 / seen.frames_ms.len() as f64;
    figures.add(
        "live page, frames over 50 ms",
        format!("{slow} of {}, {share:.1} %", seen.frames_ms.len()),
        "",
    );
    figures.add("live page says", seen.says, "");
    let mib = |bytes: u64| format!("{:.1}", bytes as f64 / f64::from(1 << 20));
    figures.add("JavaScript heap, before and after", format!("{} and {} MiB", mib(still), mib(heap)), "");
    Ok(())
}

/// Sends at a steady rate; says how many were taken in.
async fn send(api: &Api, rush: Rush) -> Result<u64> {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let ticks = rush.length.as_secs() * TICKS_PER_SEC;
    let (mut number, mut taken) = (0, 0);
    for round in 1..=ticks {
        tick.tick().await;
        let until = rush.records_per_sec * round / TICKS_PER_SEC;
        let lines: Vec<String> = (number..until).map(|number| line(number).to_string()).collect();
        number = until;
        let answer =
            api.ingest(&[("content-type", "application/x-ndjson")], lines.join("\n").into_bytes()).await?;
        taken += answer.number("accepted").with_context(|| answer.text.clone())?;
        if round % (5 * TICKS_PER_SEC) == 0 {
            println!("  {} of {} s, {taken} records", round / TICKS_PER_SEC, rush.length.as_secs());
        }
    }
    Ok(taken)
}

fn line(number: u64) -> Value {
    let service = usize::try_from(number % 8).ok().and_then(|place| SERVICES.get(place)).unwrap_or(&"auth");
    let level = match number % 50 {
        0 => "ERROR",
        1 | 2 => "WARN",
        _ => "INFO",
    };
    json!({ "service": service, "level": level, "latency_ms": number * 37 % 900, "status": 200 + number % 5,
        "userId": number * 7919 % 100_000, "region": "eu-west-1",
        "message": format!("GET /api/products/{} answered in {} ms", number * 31 % 5_000, number * 37 % 900) })
}

/// Bytes of the JavaScript heap in use after a collection. The memory of WebAssembly is not part of it.
async fn heap_bytes(browser: &Browser) -> Result<u64> {
    browser.devtools("HeapProfiler.collectGarbage", &json!({})).await?;
    let usage = browser.devtools("Runtime.getHeapUsage", &json!({})).await?;
    usage.get("usedSize").and_then(Value::as_f64).map(|bytes| bytes as u64).context("no heap usage")
}
