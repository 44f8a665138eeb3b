//! Everything about one record, beside the list, so that the list keeps its shape.

use serde_json::Value;
use yew::{Callback, Html, Properties, component, html, use_effect_with, use_state_eq};

use crate::api::record::Record;
use crate::browser::dom;
use crate::components::records::level_badge::LevelBadge;
use crate::components::records::record_row::why;
use std::rc::Rc;

/// Fields that stand in the panel's head and are not listed again.
const IN_HEAD: [&str; 5] = ["message", "level", "is_anomaly", "anomaly_reason", "anomaly_score"];

#[derive(Properties)]
pub struct RecordDetailsProps {
    pub record: Rc<Record>,
    pub on_close: Callback<()>,
    /// Narrow the search to this field and value.
    pub on_require: Callback<(String, String)>,
}

impl PartialEq for RecordDetailsProps {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.record, &other.record) && self.on_require == other.on_require
    }
}

#[component]
pub fn RecordDetails(props: &RecordDetailsProps) -> Html {
    let head = &props.record.head;
    let fields = props.record.fields();
    let listed = fields.iter().filter(|(name, value)| !IN_HEAD.contains(&name.as_str()) && !value.is_null());
    html! {
        <aside class="details" aria-label="Record">
            <div class="details-head">
                <LevelBadge level={head.level} />
                <span class="service">{ &head.service }</span>
                <span class="spacer"></span>
                <CopyButton label="Copy JSON" text={props.record.pretty()} />
                <button type="button" class="quiet" aria-label="Close (Esc)" title="Close (Esc)"
                    onclick={props.on_close.reform(|_| ())}>{ "✕" }</button>
            </div>
            <div class="details-body">
                <pre class="details-message">{ &head.message }</pre>
                { head.is_anomaly.then(|| anomaly(&props.record)) }
                <dl class="fields">{ for listed.map(|(name, value)| field(props, name, value)) }</dl>
            </div>
        </aside>
    }
}

fn anomaly(record: &Record) -> Html {
    let score = record.head.anomaly_score.filter(|_| record.head.anomaly_reason.is_some());
    html! {
        <p class="details-anomaly">
            <b>{ "Anomaly" }</b>
            { score.map(|score| html! { <span class="score">{ format!("score {score:.0} of 100") }</span> }) }
            <span>{ why(record) }</span>
        </p>
    }
}

fn field(props: &RecordDetailsProps, name: &str, value: &Value) -> Html {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => serde_json::to_string_pretty(value).unwrap_or_default(),
        other => other.to_string(),
    };
    let kind = match value {
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        _ => "json",
    };
    // Times and nested values are no useful filters.
    let can_require = kind != "json" && !matches!(name, "timestamp" | "created_at");
    let pair = (name.to_owned(), text.clone());
    let onclick = props.on_require.reform(move |_| pair.clone());
    html! {
        <div class="field">
            <dt>{ name }</dt>
            <dd class={kind}>{ &text }</dd>
            <span class="field-actions">
                if can_require {
                    <button type="button" class="quiet" {onclick} title={format!("Only records with this {name}")}
                        aria-label={format!("Only records with this {name}")}>{ "Filter" }</button>
                }
                <CopyButton label="Copy" text={text} />
            </span>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct CopyButtonProps {
    label: &'static str,
    text: String,
}

/// Copies and says so.
#[component]
fn CopyButton(props: &CopyButtonProps) -> Html {
    let copied = use_state_eq(|| None::<bool>);
    use_effect_with(props.text.clone(), {
        let copied = copied.clone();
        move |_| copied.set(None)
    });
    let onclick = {
        let (copied, text) = (copied.clone(), props.text.clone());
        Callback::from(move |_| {
            let (copied, text) = (copied.clone(), text.clone());
            wasm_bindgen_futures::spawn_local(async move { copied.set(Some(dom::copy(text).await)) });
        })
    };
    let label = match *copied {
        None => props.label,
        Some(true) => "Copied",
        Some(false) => "Not allowed",
    };
    html! { <button type="button" class="quiet" {onclick} aria-live="polite">{ label }</button> }
}
