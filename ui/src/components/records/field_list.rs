//! The fields of a record, each with what can be done with its value.

use serde_json::Value;
use yew::{Callback, Html, html};

use crate::api::record::Record;
use crate::components::records::copy_button::CopyButton;
use crate::components::records::record_actions::RecordActions;

/// Fields that stand in the panel's head and are not listed again.
const IN_HEAD: [&str; 2] = ["message", "anomaly_reason"];

pub(super) fn field_list(record: &Record, actions: &RecordActions) -> Html {
    let fields = record.fields();
    let listed = fields.iter().filter(|(name, value)| !IN_HEAD.contains(&name.as_str()) && !value.is_null());
    html! { <dl class="fields">{ for listed.map(|(name, value)| field(actions, name, value)) }</dl> }
}

fn field(actions: &RecordActions, name: &str, value: &Value) -> Html {
    let (text, kind) = match value {
        Value::String(text) => (text.clone(), "string"),
        Value::Number(number) => (number.to_string(), "number"),
        Value::Bool(_) => (value.to_string(), "bool"),
        _ => (serde_json::to_string_pretty(value).unwrap_or_default(), "json"),
    };
    // Times and nested values are no useful conditions.
    let is_condition = kind != "json" && !matches!(name, "timestamp" | "created_at");
    let act = |callback: &Callback<(String, String)>, sign: &'static str, title: String| {
        let pair = (name.to_owned(), text.clone());
        html! {
            <button type="button" class="quiet sign" onclick={callback.reform(move |_| pair.clone())} title={title.clone()}
                aria-label={title}>{ sign }</button>
        }
    };
    let column = actions.on_column.as_ref().filter(|_| name != "log_id").map(|on_column| {
        let field = name.to_owned();
        let title = format!("Show {name} as a column");
        html! {
            <button type="button" class="quiet" onclick={on_column.reform(move |_| field.clone())} title={title.clone()}
                aria-label={title}>{ "Column" }</button>
        }
    });
    html! {
        <div class="field">
            <dt>{ name }</dt>
            <dd class={kind}>{ &text }</dd>
            <dd class="field-actions">
                if is_condition {
                    { act(&actions.on_include, "+", format!("Only records with this {name}")) }
                    { act(&actions.on_exclude, "−", format!("No records with this {name}")) }
                }
                { column }
                <CopyButton label="Copy" text={text.clone()} />
            </dd>
        </div>
    }
}
