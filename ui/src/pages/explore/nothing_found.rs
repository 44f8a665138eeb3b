//! Nothing was found: what to do about it, as buttons.

use yew::{Html, html};

use super::desk::Desk;
use crate::components::notice::Empty;
use crate::state::conditions;
use crate::state::explore::ExploreView;
use crate::state::filter::Filter;
use crate::state::range::Range;

const DAY_SECS: u64 = 86_400;
/// More buttons than these are a menu.
const CONDITIONS_MAX: usize = 4;

pub(super) fn nothing_found(desk: &Desk) -> Html {
    let filter = &desk.view.filter;
    let button = |title: String, change: fn(&mut ExploreView, usize), place: usize| {
        html! { <button type="button" onclick={desk.step(move |view, _| change(view, place))}>{ title }</button> }
    };
    let typed = conditions::conditions(&filter.text).into_iter().enumerate().take(CONDITIONS_MAX);
    let drop_typed =
        |view: &mut ExploreView, place| view.filter.text = conditions::without(&view.filter.text, place);
    html! {
        <Empty title="No record matches in this time">
            <p>{ if filter.is_open() { "Nothing was stored in this stretch of time: look further back." }
                else { "Look further back, or take away a condition." } }</p>
            <p class="actions several">
                { button("Last 24 hours".to_owned(), |view, _| *view = view.zoomed(Range::Last(DAY_SECS)), 0) }
                { button("Last 7 days".to_owned(), |view, _| *view = view.zoomed(Range::Last(7 * DAY_SECS)), 0) }
                { for typed.map(|(place, text)| button(format!("Without {text}"), drop_typed, place)) }
                if !filter.service.is_empty() {
                    { button("All services".to_owned(), |view, _| view.filter.service.clear(), 0) }
                }
                if !filter.levels.is_empty() {
                    { button("All levels".to_owned(), |view, _| view.filter.levels.clear(), 0) }
                }
                if !filter.is_open() {
                    { button("No conditions".to_owned(), |view, _| view.filter = Filter::default(), 0) }
                }
            </p>
        </Empty>
    }
}
