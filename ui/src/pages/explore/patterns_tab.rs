//! Message patterns: how many records each has, and which are new, gone, more or fewer than before.

use std::rc::Rc;

use yew::{Html, MouseEvent, Properties, classes, component, html};

use super::desk::Desk;
use super::pattern_changes::Changes;
use crate::api::explore::{Pattern, Patterns};
use crate::components::chart::sparkline::Sparkline;
use crate::components::explore::pattern_text::{level_list, pattern_actions, pattern_text};
use crate::components::link::Link;
use crate::components::moment::moment;
use crate::components::notice::Empty;
use crate::components::share_bar::share_bar;
use crate::components::states::{shown, skeleton_lines};
use crate::hooks::answer::{asking, use_answer};
use crate::network::requests;
use crate::state::explore::ExploreView;
use crate::state::explore::against::Against;
use crate::state::explore::pattern_course::{course, course_words};
use crate::state::explore::question::Question;
use crate::state::format::{self, Precision};
use crate::state::page::View;

const LISTED: u32 = 100;
/// Of the small line beside a pattern; more are closer than the eye tells apart.
const COURSE_POINTS: u32 = 64;

#[derive(PartialEq, Properties)]
pub(super) struct PatternsTabProps {
    pub(super) desk: Desk,
}

#[component]
pub(super) fn PatternsTab(props: &PatternsTabProps) -> Html {
    let desk = &props.desk;
    let choice = |against: Option<Against>, title: &'static str| {
        let is_on = desk.view.against.is_some() == against.is_some();
        // Another press does not forget which time it is held against.
        let onclick = desk.to(move |view, _: MouseEvent| {
            if view.against.is_some() != against.is_some() {
                view.against = against;
            }
        });
        html! { <button type="button" class={classes!(is_on.then_some("on"))} aria-pressed={is_on.to_string()} {onclick}>{ title }</button> }
    };
    html! {
        <section class="tab-page" aria-label="Message patterns">
            <div class="segmented" role="group" aria-label="Patterns">
                { choice(None, "All patterns") }{ choice(Some(Against::default()), "Against another time") }
            </div>
            if let Some(against) = desk.view.against { <Changes desk={desk.clone()} {against} /> } else { <All desk={desk.clone()} /> }
        </section>
    }
}

#[component]
fn All(props: &PatternsTabProps) -> Html {
    let desk = &props.desk;
    let asked = use_answer(Rc::clone(&desk.question), None, |question: &Rc<Question>| {
        let question = Rc::clone(question);
        asking(async move { requests::explore::patterns(&question, LISTED, COURSE_POINTS).await })
    });
    shown(&asked, skeleton_lines(12), |patterns| table(desk, patterns))
}

fn table(desk: &Desk, patterns: &Rc<Patterns>) -> Html {
    if patterns.patterns.is_empty() {
        return html! { <Empty title="No patterns"><p>{ "No record matches in this time: look further back, or take away a condition." }</p></Empty> };
    }
    let listed = patterns.patterns.len() as u64;
    html! {
        <>
            <p class="hint">
                { format!("{} in {}", format::plural(patterns.patterns_total, "pattern"), format::plural(patterns.stats.matched_records, "record")) }
                if patterns.patterns_total > listed { { format!(", the {listed} most frequent") } }
            </p>
            <div class="table-frame" tabindex="0">
                <table class="patterns">
                    <thead><tr>
                        <th scope="col" class="number">{ "Records" }</th><th scope="col">{ "Share" }</th><th scope="col">{ "Over time" }</th><th scope="col">{ "Pattern" }</th>
                        <th scope="col">{ "Levels" }</th><th scope="col">{ "First seen" }</th><th scope="col">{ "Last seen" }</th>
                        <th scope="col"><span class="visually-hidden">{ "Actions" }</span></th>
                    </tr></thead>
                    <tbody>{ for patterns.patterns.iter().map(|pattern| row(desk, patterns, pattern)) }</tbody>
                </table>
            </div>
        </>
    }
}

fn row(desk: &Desk, all: &Patterns, pattern: &Pattern) -> Html {
    let sample = ExploreView {
        record: pattern.sample_log_id.to_string(),
        tab: Default::default(),
        ..(*desk.view).clone()
    };
    html! {
        <tr key={pattern.pattern.clone()}>
            <td class="number">{ format::count(pattern.count) }</td>
            <td class="share-cell">{ format::percent(pattern.share) }{ share_bar(pattern.share) }</td>
            <td><Sparkline values={course(pattern)} label={course_words(pattern, all.buckets.as_ref())} /></td>
            <td class="pattern-cell">{ pattern_text(&pattern.pattern) }</td>
            <td>{ level_list(&pattern.levels) }</td>
            <td>{ moment(pattern.first_seen.millis(), Precision::Second) }</td>
            <td>{ moment(pattern.last_seen.millis(), Precision::Second) }</td>
            <td class="row-actions">
                { pattern_actions(&pattern.pattern, &desk.on_condition()) }
                <Link to={sample.place()} title={"The newest record of this pattern".to_owned()}>{ "Sample" }</Link>
            </td>
        </tr>
    }
}
