//! Patterns of the time that is shown, against another: what is new, gone, more or fewer.

use std::rc::Rc;

use yew::{Html, Properties, component, html};

use super::desk::Desk;
use crate::api::explore::{Change, PatternChange, PatternDifference};
use crate::browser::clock;
use crate::components::explore::pattern_text::{level_list, pattern_actions, pattern_text};
use crate::components::notice::Empty;
use crate::components::states::{shown, skeleton_lines};
use crate::hooks::answer::{asking, use_answer};
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::explore::against::Against;
use crate::state::explore::question::Question;
use crate::state::format;
use crate::state::range::Span;

const LISTED: u32 = 100;

#[derive(PartialEq, Properties)]
pub(super) struct ChangesProps {
    pub(super) desk: Desk,
}

#[component]
pub(super) fn Changes(props: &ChangesProps) -> Html {
    let desk = &props.desk;
    let against = use_state_eq(Against::default);
    let other = against.of(desk.question.span);
    let asked =
        use_answer((Rc::clone(&desk.question), other), None, |(question, other): &(Rc<Question>, Span)| {
            let (question, other) = (Rc::clone(question), *other);
            asking(async move { requests::explore::difference(&question, other, LISTED).await })
        });
    let onchange = {
        let against = against.clone();
        move |event: yew::Event| {
            let name = yew::TargetCast::target_unchecked_into::<web_sys::HtmlSelectElement>(&event).value();
            against.set(Against::from_name(&name));
        }
    };
    let local = |at_ms| format::moment(at_ms, clock::offset_ms(at_ms));
    html! {
        <>
            <p class="against">
                <label>{ "Held against " }<select {onchange}>
                    { for Against::ALL.map(|choice| html! { <option value={choice.name()} selected={choice == *against}>{ choice.title() }</option> }) }
                </select></label>
                <span class="hint">{ format!("{} to {}", local(other.from_ms), local(other.to_ms)) }</span>
            </p>
            { shown(&asked, skeleton_lines(12), |difference| table(desk, difference)) }
        </>
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
