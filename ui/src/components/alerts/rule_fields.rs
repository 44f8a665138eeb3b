//! All that a rule says, field by field.

use yew::{Callback, Html, Properties, component, html};

use super::condition_fields::ConditionFields;
use crate::components::forms::check::{CheckField, ChoicesField};
use crate::components::forms::field::{SelectField, TextField};
use crate::components::forms::values::ValuesField;
use crate::state::alerts::condition_form::{ConditionForm, Kind};
use crate::state::alerts::rule_form::{RuleForm, name_of};
use crate::state::alerts::words;
use crate::state::query_check;

#[derive(PartialEq, Properties)]
pub struct RuleFieldsProps {
    pub form: RuleForm,
    pub on_change: Callback<RuleForm>,
    /// There is none of this name yet.
    pub is_new: bool,
    /// Names of the channels there are.
    pub channels: Vec<String>,
}

#[component]
pub fn RuleFields(props: &RuleFieldsProps) -> Html {
    let form = &props.form;
    let on_condition = set(props, |form, condition: ConditionForm| form.condition = condition);
    let on_kind = set(props, |form, kind: Kind| form.set_kind(kind));
    html! {
        <>
            <div class="form-grid">{ names(props) }</div>
            <h3 class="form-section">{ "What is wrong" }</h3>
            <ConditionFields form={form.condition.clone()} on_change={on_condition} {on_kind} />
            <div class="form-grid">
                <TextField name="filter" label="Only records that meet" value={form.filter.clone()} is_code=true is_wide=true
                    on_change={set(props, |form, text| form.filter = text)} problem={query_check::problem(&form.filter)}
                    placeholder="All records" hint="In the query language: env:production -path:/health" />
                <ValuesField name="group_by" label="Judged apart by" values={form.group_by.clone()} offered={fields_offered()}
                    on_change={set(props, |form, fields| form.group_by = fields)}
                    hint="Each combination of values fires by itself. Empty: all records together." />
                { lengths(props) }
            </div>
            <h3 class="form-section">{ "Who hears of it" }</h3>
            <div class="form-grid">{ words_for_people(props) }</div>
        </>
    }
}

fn set<T: 'static>(props: &RuleFieldsProps, apply: fn(&mut RuleForm, T)) -> Callback<T> {
    let form = props.form.clone();
    props.on_change.reform(move |value| {
        let mut next = form.clone();
        apply(&mut next, value);
        next
    })
}

fn fields_offered() -> Vec<String> {
    ["service", "level", "region", "env", "host"].map(str::to_owned).to_vec()
}

fn names(props: &RuleFieldsProps) -> Html {
    let form = &props.form;
    let on_title = if props.is_new {
        set(props, |form, title: String| {
            // The name follows the title until somebody gives it one of its own.
            if form.name == name_of(&form.title) {
                form.name = name_of(&title);
            }
            form.title = title;
        })
    } else {
        set(props, |form, title| form.title = title)
    };
    let severities = ["info", "warning", "critical"].map(|name| (name.to_owned(), name.to_owned())).to_vec();
    let on_severity = set(props, |form, name: String| {
        form.severity = words::severity_from(&name).unwrap_or(form.severity);
    });
    html! {
        <>
            <TextField name="title" label="Title" value={form.title.clone()} on_change={on_title} hint="What is wrong, in a few words." />
            <TextField name="name" label="Name" value={form.name.clone()} on_change={set(props, |form, name| form.name = name)} is_code=true
                is_fixed={!props.is_new} hint={if props.is_new { "In addresses and on the command line; cannot be changed later." } else { "" }} />
            <SelectField name="severity" label="Severity" value={words::severity(form.severity)} options={severities} on_change={on_severity} />
            <CheckField name="enabled" label="Enabled" is_on={form.is_enabled} on_change={set(props, |form, is_on| form.is_enabled = is_on)} />
        </>
    }
}

fn lengths(props: &RuleFieldsProps) -> Html {
    let form = &props.form;
    html! {
        <>
            <TextField name="window_secs" label="Looks at the last" value={form.window.clone()} placeholder="5m"
                on_change={set(props, |form, text| form.window = text)} hint="10s to 24h." />
            <TextField name="for_secs" label="Fires when wrong for" value={form.wait.clone()} placeholder="0"
                on_change={set(props, |form, text| form.wait = text)} hint="0: at once." />
            <TextField name="resolve_after_secs" label="Over when well for" value={form.resolve_after.clone()} placeholder="2m"
                on_change={set(props, |form, text| form.resolve_after = text)} />
            <TextField name="repeat_secs" label="Told again every" value={form.repeat.clone()} placeholder="4h"
                on_change={set(props, |form, text| form.repeat = text)} hint="While nobody has acknowledged it; 0: once." />
        </>
    }
}

fn words_for_people(props: &RuleFieldsProps) -> Html {
    let form = &props.form;
    // A channel that was removed meanwhile has to be seen to be taken out.
    let mut names = props.channels.clone();
    names.extend(form.channels.iter().filter(|name| !props.channels.contains(name)).cloned());
    let options: Vec<(String, String)> = names.iter().map(|name| (name.clone(), name.clone())).collect();
    html! {
        <>
            if options.is_empty() {
                <p class="hint wide">{ "There is no channel yet: it fires, and is seen here only. Add channels on their tab." }</p>
            } else {
                <ChoicesField name="channels" label="Channels" {options} chosen={form.channels.clone()}
                    on_change={set(props, |form, channels| form.channels = channels)} hint="None: it is seen here only." />
            }
            <CheckField name="notify_resolved" label="Say when it is over" is_on={form.tells_end}
                on_change={set(props, |form, is_on| form.tells_end = is_on)} />
            <TextField name="owner" label="Owner" value={form.owner.clone()} on_change={set(props, |form, text| form.owner = text)}
                hint="Whom to ask. Stands in every message." />
            <ValuesField name="labels" label="Labels" values={form.labels.clone()} placeholder="team=payments"
                on_change={set(props, |form, labels| form.labels = labels)} hint="Names and values that silences can go by." />
            <TextField name="template" label="Text of messages" kind="area" value={form.template.clone()} is_wide=true
                on_change={set(props, |form, text| form.template = text)}
                hint="Empty: the usual text. {{heading}} {{kind}} {{rule}} {{severity}} {{service}} {{measure}} {{observed}} {{normal}} {{threshold}} {{start}} {{cause}} {{owner}} {{link}} {{labels.NAME}}; the first line is the heading." />
        </>
    }
}
