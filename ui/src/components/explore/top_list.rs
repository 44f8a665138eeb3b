//! The largest groups as bars; a click wants the group's values.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use crate::components::share_bar::share_bar;
use crate::state::explore::group::Group;
use crate::state::explore::series::{Row, label, shown, text};

#[derive(PartialEq, Properties)]
pub struct TopListProps {
    pub rows: Rc<Vec<Row>>,
    pub group: Group,
    /// The values of a group, one for each field that is grouped by.
    pub on_choose: Callback<Vec<String>>,
}

#[component]
pub fn TopList(props: &TopListProps) -> Html {
    let mut rows: Vec<&Row> = props.rows.iter().collect();
    // A share is worked out here, so the order is made here as well.
    rows.sort_by(|a, b| b.value.unwrap_or(f64::MIN).total_cmp(&a.value.unwrap_or(f64::MIN)));
    let most = rows.first().and_then(|row| row.value).filter(|most| *most > 0.0).unwrap_or(1.0);
    let entry = |row: &&Row| {
        let values: Vec<String> = row.keys.iter().map(text).collect();
        // Records without the field cannot be asked for by a value.
        let is_fixed = row.keys.is_empty() || row.keys.iter().any(serde_json::Value::is_null);
        let name = label(&row.keys);
        html! {
            <li>
                <button type="button" class="top-entry" disabled={is_fixed} title={format!("Only {name}")}
                    onclick={props.on_choose.reform(move |_| values.clone())}>
                    <span class="facet-text">{ name.clone() }</span>
                    <b>{ shown(row.value, props.group.measure, &props.group.field) }</b>
                    { share_bar(row.value.unwrap_or(0.0) / most) }
                </button>
            </li>
        }
    };
    html! { <ol class="top-list" aria-label={props.group.title()}>{ for rows.iter().map(entry) }</ol> }
}
