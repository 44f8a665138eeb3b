//! Every part of the screen in each of its states, side by side, to look at while one works on them. In development builds only.

use std::future::{pending, ready};

use yew::{Callback, Html, component, hook, html};

use crate::api::error::ApiError;
use crate::api::logs::Level;
use crate::components::chart::sparkline::Sparkline;
use crate::components::frame::connection_pill::ConnectionPill;
use crate::components::frame::icon::page_icon;
use crate::components::link::Link;
use crate::components::moment::{ago, moment};
use crate::components::notice::{Empty, Loading};
use crate::components::records::level_badge::LevelBadge;
use crate::components::states::{shown, skeleton_chart, skeleton_lines};
use crate::components::time_picker::TimePicker;
use crate::hooks::answer::{Asked, asking, use_answer};
use crate::hooks::now::use_now;
use crate::hooks::state::use_state_eq;
use crate::state::connection::Health;
use crate::state::format::Precision;
use crate::state::page::{Page, Place};
use crate::state::range::Range;

/// Colours of both themes, by their names in the stylesheet.
const COLOURS: [&str; 24] = [
    "ground",
    "ground-low",
    "ground-high",
    "hover",
    "chosen",
    "line",
    "line-strong",
    "text",
    "text-soft",
    "accent",
    "good",
    "warn",
    "error",
    "fatal",
    "info",
    "debug",
    "anomaly",
    "series-1",
    "series-2",
    "series-3",
    "series-4",
    "series-5",
    "series-6",
    "series-7",
];

#[component]
pub(super) fn ComponentsPage() -> Html {
    html! {
        <div class="page">
            <h1>{ "Components" }</h1>
            { section("Colours", html! { <ul class="swatches">{ for COLOURS.map(swatch) }</ul> }) }
            { section("Controls", html! { <Controls /> }) }
            { section("Marks", marks()) }
            { section("Connection", html! { <div class="toolbar">{ for health().map(|health| html! { <ConnectionPill {health} /> }) }</div> }) }
            { section("Charts", charts()) }
            { section("A question and its answer", html! { <Answers /> }) }
            { section("Nothing, and not yet", html! { <><Loading />
                <Empty title="Nothing found"><p>{ "Says what to do about it." }</p></Empty></> }) }
        </div>
    }
}

fn section(title: &'static str, content: Html) -> Html {
    html! { <section class="card" aria-label={title}><div class="card-head"><h2>{ title }</h2></div>{ content }</section> }
}

fn swatch(name: &'static str) -> Html {
    html! { <li><span class={format!("colour colour-{name}")}></span><code>{ name }</code></li> }
}

#[component]
fn Controls() -> Html {
    let range = use_state_eq(Range::default);
    let on_change = {
        let range = range.clone();
        Callback::from(move |chosen| range.set(chosen))
    };
    html! {
        <div class="toolbar">
            <button type="button" class="primary">{ "Primary" }</button>
            <button type="button">{ "Ordinary" }</button>
            <button type="button" class="danger">{ "Dangerous" }</button>
            <button type="button" class="quiet">{ "Quiet" }</button>
            <button type="button" disabled=true>{ "Disabled" }</button>
            <button type="button" class="chip on error" aria-pressed="true">{ "ERROR" }</button>
            <input type="text" placeholder="Text" aria-label="Text" />
            <TimePicker range={*range} {on_change} />
            <Link to={Place::of(Page::Explore)}>{ "A link" }</Link>
            <kbd>{ "g e" }</kbd>
        </div>
    }
}

fn marks() -> Html {
    let at_ms = 1_764_670_202_123;
    html! {
        <div class="toolbar">
            { for Level::ALL.map(|level| html! { <LevelBadge {level} /> }) }
            <span class="state good">{ "Ready" }</span><span class="state bad">{ "Does not answer" }</span>
            { moment(at_ms, Precision::Milli) }{ ago(at_ms, at_ms as f64 + 300_000.0) }
            { for Page::ALL.map(page_icon) }
        </div>
    }
}

fn health() -> [Health; 6] {
    [
        Health::Connecting,
        Health::Live,
        Health::Connected,
        Health::Reconnecting { retry_in_secs: 0 },
        Health::Reconnecting { retry_in_secs: 4 },
        Health::Stale { for_secs: 75 },
    ]
}

fn charts() -> Html {
    let values = (0..40).map(|at| (at != 17).then(|| 3.0 + f64::from(at * 7 % 11))).collect::<Vec<_>>();
    html! { <Sparkline {values} label="An invented course with a gap" /> }
}

/// What views show while they wait, when they were answered, when that failed at first, and when it failed later.
#[component]
fn Answers() -> Html {
    let loading = use_answer((), None, |()| asking(pending::<Result<&str, ApiError>>()));
    let answered = use_answer((), None, |()| asking(ready(Ok("The answer"))));
    let failed = use_answer((), None, |()| asking(ready(Err::<&str, _>(ApiError::unreachable()))));
    let stale = use_stale();
    let draw =
        |asked: &Asked<&'static str>| shown(asked, skeleton_lines(3), |text| html! { <p>{ **text }</p> });
    html! {
        <div class="gallery">
            <div>{ draw(&loading) }</div><div>{ shown(&loading, skeleton_chart(), |_| Html::default()) }</div>
            <div>{ draw(&answered) }</div><div>{ draw(&failed) }</div><div>{ draw(&stale) }</div>
        </div>
    }
}

/// Answered once, and not again.
#[hook]
fn use_stale() -> Asked<&'static str> {
    let rounds = yew::use_mut_ref(|| 0_u32);
    let asked = use_answer((), None, move |()| {
        let mut rounds = rounds.borrow_mut();
        *rounds += 1;
        asking(ready(if *rounds == 1 { Ok("An old answer") } else { Err(ApiError::unreachable()) }))
    });
    let has_value = asked.value().is_some();
    yew::use_effect_with(has_value, {
        let again = asked.again.clone();
        move |has_value| {
            if *has_value {
                again.emit(());
            }
        }
    });
    // Its age is drawn anew by itself.
    use_now(60_000);
    asked
}
