//! A message pattern: what varies is told from what does not; and what can be done with it.

use insighthub_model::query::Expression;
use yew::{Callback, Html, html};

use crate::api::explore::LevelCounts;
use crate::components::records::level_badge::LevelBadge;
use crate::state::explore::pattern::{VARIES, condition};
use crate::state::format;

pub fn pattern_text(pattern: &str) -> Html {
    let parts = pattern.split(VARIES).enumerate().map(|(place, part)| {
        html! { <>if place > 0 { <span class="varies" title="Varies from record to record">{ "✱" }</span> }{ part }</> }
    });
    html! { <code class="pattern">{ for parts }</code> }
}

/// Only such records, or none of them; nothing where no word stays the same.
pub fn pattern_actions(pattern: &str, on_condition: &Callback<Expression>) -> Html {
    let Some(wanted) = condition(pattern) else { return Html::default() };
    let unwanted = wanted.clone().negated();
    html! {
        <>
            <button type="button" class="quiet sign" title="Only records with these words" aria-label="Only records of this pattern"
                onclick={on_condition.reform(move |_| wanted.clone())}>{ "+" }</button>
            <button type="button" class="quiet sign" title="No records with these words" aria-label="No records of this pattern"
                onclick={on_condition.reform(move |_| unwanted.clone())}>{ "−" }</button>
        </>
    }
}

pub fn level_list(levels: &LevelCounts) -> Html {
    let entry = |(level, count): (&insighthub_model::Level, &u64)| {
        html! { <span title={format::count(*count)}><LevelBadge level={*level} /></span> }
    };
    html! { <span class="level-list">{ for levels.iter().rev().map(entry) }</span> }
}
