//! Patterns of the time that is shown, against another: what is new, gone, more or fewer.

use std::rc::Rc;

use yew::{Html, Properties, component, html};

use super::desk::Desk;
use crate::api::explore::{Change, PatternChange, PatternDifference};
use crate::browser::clock;
use crate::components::explore::pattern_text::{level_list, pattern_actions, pattern_text};
use crate::components::notice::Empty;
use crate::components::states::{shown, skeleton_lines};
use crate::components::time_picker::TimePicker;
use crate::hooks::answer::{asking, use_answer};
use crate::hooks::memo::use_memo;
use crate::network::requests;
use crate::state::explore::against::Against;
use crate::state::explore::question::Question;
use crate::state::format;
use crate::state::range::{Range, Span};

const LISTED: u32 = 100;

#[derive(PartialEq, Properties)]
pub(super) struct ChangesProps {
    pub(super) desk: Desk,
    pub(super) against: Against,
}

#[component]
pub(super) fn Changes(props: &ChangesProps) -> Html {
    let (desk, against) = (&props.desk, props.against);
    // One moment for as long as the question is the same, or it would be another question at every drawing.
    let other = *use_memo((against, Rc::clone(&desk.question)), |(against, question)| {
        against.of(question.span, clock::now_ms())
    });
    let asked =
        use_answer((Rc::clone(&desk.question), other), None, |(question, other): &(Rc<Question>, Span)| {
            let (question, other) = (Rc::clone(question), *other);
            asking(async move { requests::explore::difference(&question, other, LISTED).await })
        });
    html! {
        <>
            { choice(desk, against, other) }
            { shown(&asked, skeleton_lines(12), |difference| table(desk, difference)) }
        </>
    }
}

/// The time that is held against: one of those that are offered, or one of its own that begins as the one before.
fn choice(desk: &Desk, against: Against, other: Span) -> Html {
    let own = Against::Other(Range::between(other.from_ms, other.to_ms));
    let onchange = desk.to(move |view, event: yew::Event| {
        let name = yew::TargetCast::target_unchecked_into::<web_sys::HtmlSelectElement>(&event).value();
        view.against = Some(Against::from_name(&name).unwrap_or(own));
    });
    let option = |choice: Against| {
        html! { <option value={choice.name()} selected={choice.name() == against.name()}>{ choice.title() }</option> }
    };
    let local = |at_ms| format::moment(at_ms, clock::offset_ms(at_ms));
    html! {
        <div class="against">
            <label>{ "Held against " }<select {onchange}>{ for Against::OFFERED.into_iter().chain([own]).map(option) }</select></label>
            if let Against::Other(range) = against {
                <TimePicker {range} label="Time held against" opened_by={None::<&str>}
                    on_change={desk.to(|view, range| view.against = Some(Against::Other(range)))} />
            }
            <span class="hint">{ format!("{} to {}", local(other.from_ms), local(other.to_ms)) }</span>
        </div>
    }
}

fn table(desk: &Desk, difference: &Rc<PatternDifference>) -> Html {
    if difference.patterns.is_empty() {
        return html! { <Empty title="Nothing has changed"><p>{ "Both times have the same patterns at the same rates." }</p></Empty> };
    }
    html! {
        <div class="table-frame" tabindex="0">
            <table class="patterns">
                <thead><tr>
                    <th scope="col">{ "Change" }</th><th scope="col">{ "Pattern" }</th><th scope="col" class="number">{ "Records now" }</th>
                    <th scope="col" class="number">{ "Then" }</th><th scope="col" class="number">{ "Per minute now" }</th>
                    <th scope="col" class="number">{ "Then" }</th>
                    <th scope="col" class="number" title="10.8 is met once in a thousand by chance">{ "Surprise" }</th>
                    <th scope="col">{ "Levels" }</th><th scope="col"><span class="visually-hidden">{ "Actions" }</span></th>
                </tr></thead>
                <tbody>{ for difference.patterns.iter().map(|change| row(desk, change)) }</tbody>
            </table>
        </div>
    }
}

fn row(desk: &Desk, change: &PatternChange) -> Html {
    let per_minute = |rate: f64| format::rate(rate * 60.0);
    let times = change.times.filter(|times| *times > 0.0);
    let (word, class) = match (change.change, times) {
        (Change::New, _) => ("New".to_owned(), "change new"),
        (Change::Gone, _) => ("Gone".to_owned(), "change gone"),
        (Change::Grown, Some(times)) => (format!("↑ {times:.1} times"), "change grown"),
        (Change::Shrunk, Some(times)) => (format!("↓ to {}", format::percent(times)), "change shrunk"),
        (Change::Grown, None) => ("↑ More".to_owned(), "change grown"),
        (Change::Shrunk, None) => ("↓ Fewer".to_owned(), "change shrunk"),
    };
    html! {
        <tr key={change.pattern.clone()}>
            <td><span {class}>{ word }</span></td>
            <td class="pattern-cell">{ pattern_text(&change.pattern) }</td>
            <td class="number">{ format::count(change.count) }</td>
            <td class="number">{ format::count(change.count_against) }</td>
            <td class="number">{ per_minute(change.rate) }</td>
            <td class="number">{ per_minute(change.rate_against) }</td>
            <td class="number">{ format!("{:.1}", change.surprise) }</td>
            <td>{ level_list(&change.levels) }</td>
            <td class="row-actions">{ pattern_actions(&change.pattern, &desk.on_condition()) }</td>
        </tr>
    }
}
