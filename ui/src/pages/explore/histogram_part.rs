//! How many records, when, how severe; and against the period before.

use std::rc::Rc;

use futures_util::future::try_join;
use yew::{Html, Properties, classes, component, html};

use insighthub_model::Level;

use super::desk::Desk;
use crate::api::explore::Histogram as Answer;
use crate::browser::clock;
use crate::components::chart::histogram::Histogram;
use crate::components::records::level_badge::level_class;
use crate::components::states::{shown, skeleton_chart};
use crate::hooks::answer::{asking, use_answer};
use crate::hooks::memo::use_memo;
use crate::network::requests;
use crate::state::explore::bars::{self, Bars};
use crate::state::explore::question::Question;
use crate::state::explore::{Tab, view::Selection};
use crate::state::format;
use crate::state::range::{Range, Span};

/// More are thinner than a finger is exact.
const BARS_MAX: usize = 120;

#[derive(PartialEq, Properties)]
pub(super) struct HistogramPartProps {
    pub(super) desk: Desk,
}

type Both = (Answer, Option<Answer>);

#[component]
pub(super) fn HistogramPart(props: &HistogramPartProps) -> Html {
    let desk = &props.desk;
    let key = (Rc::clone(&desk.question), desk.view.is_compared);
    let asked = use_answer(key, None, |(question, is_compared): &(Rc<Question>, bool)| {
        let (question, is_compared) = (Rc::clone(question), *is_compared);
        asking(async move { both(&question, is_compared).await })
    });
    let bars = use_memo((asked.value().cloned(), desk.question.span), |(answer, span)| {
        let Some(answer) = answer else { return Bars::default() };
        Bars::of(&answer.0, answer.1.as_ref(), span.length_ms())
    });
    html! {
        <section class="explore-histogram" aria-label="Records over time">
            { shown(&asked, skeleton_chart(), |answer| drawn(desk, answer, &bars)) }
        </section>
    }
}

async fn both(question: &Question, is_compared: bool) -> Result<Both, crate::api::error::ApiError> {
    let bar = bars::bar_length(question.span, BARS_MAX).to_string();
    if !is_compared {
        return Ok((requests::explore::histogram(question, bar).await?, None));
    }
    let before = question.before();
    let (now, before) = try_join(
        requests::explore::histogram(question, bar.clone()),
        requests::explore::histogram(&before, bar),
    )
    .await?;
    Ok((now, Some(before)))
}

fn drawn(desk: &Desk, answer: &Rc<Both>, bars: &Rc<Bars>) -> Html {
    let on_zoom = desk.step(|view, span: Span| *view = view.zoomed(Range::between(span.from_ms, span.to_ms)));
    let on_zoom_out = desk.step(|view, ()| *view = view.zoomed_out(clock::now_ms()));
    let on_different = desk.step(|view, span: Span| {
        view.tab = Tab::Different;
        view.selection = Selection { time_ms: Some((span.from_ms, span.to_ms)), latency_ms: None };
    });
    let coverage = answer.0.coverage;
    html! {
        <>
            <div class="histogram-head">
                <p><b>{ format::count(bars.total()) }</b>{ if bars.total() == 1 { " record" } else { " records" } }
                    { format!(", bars of {}", answer.0.bucket) }</p>
                if answer.1.is_some() {
                    <p><span class="before-mark" aria-hidden="true"></span>
                        { format!("{} in the period before: ", format::count(bars.total_before())) }
                        <b>{ bars::change(bars.total(), bars.total_before()) }</b></p>
                }
                if !coverage.complete { <p class="partial">{ "Incomplete: some partitions did not answer" }</p> }
                if coverage.stale { <p class="partial">{ "Stale: the newest records may be missing" }</p> }
                <span class="spacer"></span>
                { legend(desk, bars) }
                <button type="button" class="quiet" onclick={on_zoom_out.reform(|_| ())}
                    title="Three times as long a stretch (or double click)">{ "Zoom out" }</button>
            </div>
            <Histogram bars={Rc::clone(bars)} span={desk.question.span} marked_ms={desk.view.selection.time_ms}
                {on_zoom} {on_zoom_out} {on_different} />
        </>
    }
}

/// Levels with their counts; a press asks for that level alone, another lets all in again.
fn legend(desk: &Desk, bars: &Bars) -> Html {
    let entry = |(level, count): (Level, u64)| {
        let is_on = desk.view.filter.levels.contains(&level);
        html! {
            <button type="button" class={classes!("level-entry", is_on.then_some("on"))} aria-pressed={is_on.to_string()}
                title={format!("Only {}", level.name())} onclick={desk.to(move |view, _| view.filter.toggle_level(level))}>
                <svg width="10" height="10" aria-hidden="true"><rect class={classes!("level-fill", level_class(level))} width="10" height="10" rx="2" /></svg>
                { level.name() }<b>{ format::short_count(count as f64) }</b>
            </button>
        }
    };
    let counts = Level::ALL.into_iter().zip(bars.level_totals()).filter(|(_, count)| *count > 0);
    html! { <div class="level-legend" role="group" aria-label="Levels in the chart">{ for counts.map(entry) }</div> }
}
