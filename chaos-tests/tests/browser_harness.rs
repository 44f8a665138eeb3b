//! The hands and eyes of the other browser tests, on a page that says what was done to it.

use std::time::Duration;

use anyhow::{Result, ensure};
use insighthub_chaos_tests::browser::{Browser, Point, Size, Theme, named};
use serde_json::json;

const WITHIN: Duration = Duration::from_secs(20);
const PAGE: &str = r#"<!doctype html><html lang="en"><title>hands</title><meta name="viewport" content="width=device-width">
<style>body{margin:0} #pad{width:min(400px,100%);height:100px;background:#eee} @media (prefers-color-scheme: dark){#pad{height:50px}}</style>
<div id="pad" tabindex="0"></div>
<button aria-label="Save the rule">S</button><button disabled>Delete</button><button class="late" hidden>Late</button>
<label>Level <select><option>info</option><option>error</option></select></label>
<label>Name <input value="old"></label>
<p id="log"></p>
<script>
const log = text => { document.getElementById('log').textContent += text + ';'; };
const pad = document.getElementById('pad');
let moves = 0;
pad.onpointerdown = e => { moves = 0; log('down ' + Math.round(e.clientX) + (e.altKey ? ' alt' : '')); };
pad.onpointermove = () => { moves += 1; };
pad.onpointerup = e => log('up ' + Math.round(e.clientX) + (moves > 3 ? ' dragged' : ''));
pad.onpointerenter = () => log('enter');
document.querySelector('button').onclick = () => { log('saved'); setTimeout(() => { document.querySelector('.late').hidden = false; }, 200); };
document.querySelector('.late').onclick = () => log('late');
document.onkeydown = e => log('key ' + (e.ctrlKey ? 'ctrl ' : '') + e.key);
document.querySelector('select').onchange = e => log('chose ' + e.target.value);
document.querySelector('input').onchange = e => log('typed ' + e.target.value);
</script>"#;

async fn open_page() -> Result<Browser> {
    let browser = Browser::start().await?;
    let escaped: String =
        PAGE.bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect();
    browser.open(&format!("data:text/html;charset=utf-8,{escaped}")).await?;
    Ok(browser)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hands_do_what_they_are_told() -> Result<()> {
    let browser = open_page().await?;
    browser.drag("#pad", Point(0.25, 0.5), Point(0.75, 0.5)).await?;
    browser.alt_click("#pad").await?;
    browser.click(named("button", "Save the rule")).await?;
    // Waits until it is there.
    browser.click(named("button", "Late")).await?;
    browser.select(named("combobox", "Level"), "error").await?;
    browser.fill(named("textbox", "Name").inside("label:last-of-type"), "new").await?;
    browser.press(&["Tab"]).await?;
    browser.click_at("#pad", Point(0.1, 0.5)).await?;
    browser.press(&["g", "l", "Control+k"]).await?;
    let log = browser.text_of("#log").await?;
    for part in [
        "enter;",
        "down 100;up 300 dragged;",
        "down 200 alt;up 200;",
        "saved;late;chose error;",
        "typed new;",
        "down 40;up 40;key g;key l;key ctrl Control;key ctrl k;",
    ] {
        ensure!(log.contains(part), "no {part:?} in {log:?}");
    }
    ensure!(browser.value_of("input").await? == "new");
    let usable = browser.names_of("button").await?;
    ensure!(usable == ["Save the rule", "Late"], "{usable:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_shown_on_a_phone_and_in_the_dark() -> Result<()> {
    let browser = open_page().await?;
    browser.set_size(Size::PHONE).await?;
    browser.wait_for("innerWidth === 390 && innerHeight === 844", &[], WITHIN).await?;
    browser.set_theme(Theme::Dark).await?;
    browser.wait_for("document.getElementById('pad').clientHeight === 50", &[], WITHIN).await?;
    browser.wait_for("matchMedia('(prefers-reduced-motion: reduce)').matches", &[], WITHIN).await?;
    browser.set_size(Size::DESKTOP).await?;
    browser.set_theme(Theme::Light).await?;
    browser.wait_for("innerWidth === 1440", &[], WITHIN).await?;
    browser.wait_for("document.getElementById('pad').clientHeight === 100", &[], WITHIN).await?;
    let picture = browser.webp(70).await?;
    ensure!(picture.starts_with(b"RIFF") && picture.get(8..12) == Some(b"WEBP"), "the picture is no WebP");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_elsewhere_is_seen() -> Result<()> {
    let browser = open_page().await?;
    drop(browser.requests().await?);
    let asked = "const image = new Image(); image.onerror = () => { document.title = 'refused'; }; image.src = arguments[0];";
    browser.run(asked, &[json!("http://elsewhere.example/pixel.png")]).await?;
    browser.wait_for("document.title === 'refused'", &[], WITHIN).await?;
    let error = browser.ensure_asked_only("http://127.0.0.1:8000").await.err().map(|error| error.to_string());
    ensure!(error.as_ref().is_some_and(|error| error.contains("elsewhere.example")), "{error:?}");
    Ok(())
}
