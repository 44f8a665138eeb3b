//! The conditions in force, each to be taken away.

use yew::{Callback, Html, Properties, component, html};

use crate::state::conditions;
use crate::state::filter::Filter;

#[derive(PartialEq, Properties)]
pub struct ConditionChipsProps {
    pub filter: Filter,
    pub on_change: Callback<Filter>,
}

#[component]
pub fn ConditionChips(props: &ConditionChipsProps) -> Html {
    if props.filter.is_open() {
        return Html::default();
    }
    let filter = &props.filter;
    let chip = |text: String, without: Filter| {
        let title = format!("Take away {text}");
        html! {
            <span class="condition"><code>{ text }</code>
                <button type="button" class="quiet" onclick={props.on_change.reform(move |_| without.clone())}
                    title={title.clone()} aria-label={title}>{ "✕" }</button></span>
        }
    };
    let typed = conditions::conditions(&filter.text).into_iter().enumerate().map(|(place, text)| {
        let without = Filter { text: conditions::without(&filter.text, place), ..filter.clone() };
        chip(text, without)
    });
    let levels = filter.levels.iter().map(|level| level.name()).collect::<Vec<_>>().join(" or ");
    let all = props.on_change.reform(|_| Filter::default());
    html! {
        <div class="conditions" role="group" aria-label="Conditions in force">
            { for typed }
            if !filter.service.is_empty() {
                { chip(format!("service:{}", filter.service), Filter { service: String::new(), ..filter.clone() }) }
            }
            if !levels.is_empty() { { chip(format!("level: {levels}"), Filter { levels: Vec::new(), ..filter.clone() }) } }
            if filter.is_anomaly { { chip("anomalies".to_owned(), Filter { is_anomaly: false, ..filter.clone() }) } }
            <button type="button" class="quiet" onclick={all}>{ "Clear all" }</button>
        </div>
    }
}
