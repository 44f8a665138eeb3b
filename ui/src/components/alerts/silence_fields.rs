//! All that a silence says, field by field.

use yew::{Callback, Html, Properties, component, html};

use crate::api::alerts::Recurrence;
use crate::components::forms::field::{SelectField, TextField};
use crate::components::forms::values::ValuesField;
use crate::state::alerts::silence_form::SilenceForm;
use crate::state::alerts::words;

#[derive(PartialEq, Properties)]
pub struct SilenceFieldsProps {
    pub form: SilenceForm,
    pub on_change: Callback<SilenceForm>,
    /// There is none of this name yet.
    pub is_new: bool,
    /// Names of the rules there are, and of the services.
    pub rules: Vec<String>,
    pub services: Vec<String>,
}

#[component]
pub fn SilenceFields(props: &SilenceFieldsProps) -> Html {
    let form = &props.form;
    html! {
        <div class="form-grid">
            <TextField name="name" label="Name" value={form.name.clone()} on_change={set(props, |form, text| form.name = text)} is_code=true
                is_fixed={!props.is_new} placeholder="release" />
            <TextField name="reason" label="Reason" value={form.reason.clone()} on_change={set(props, |form, text| form.reason = text)}
                hint="Shown to whoever looks for an alert." />
            <h3 class="form-section wide">{ "What is not told" }</h3>
            <TextField name="rule" label="Rule" value={form.rule.clone()} on_change={set(props, |form, text| form.rule = text)}
                offered={props.rules.clone()} placeholder="Every rule" is_code=true />
            <TextField name="service" label="Service" value={form.service.clone()} on_change={set(props, |form, text| form.service = text)}
                offered={props.services.clone()} placeholder="Every service" is_code=true />
            { severity(props) }
            <ValuesField name="labels" label="Labels of the rule" values={form.labels.clone()} placeholder="team=payments"
                on_change={set(props, |form, labels| form.labels = labels)} hint="All of these must be so. What is left empty does not matter." />
            <h3 class="form-section wide">{ "When" }</h3>
            <TextField name="starts_at" label="From" kind="datetime-local" value={form.starts.clone()} on_change={set(props, |form, text| form.starts = text)} />
            <TextField name="ends_at" label="Until" kind="datetime-local" value={form.ends.clone()} on_change={set(props, |form, text| form.ends = text)}
                hint="Your local time. What still fires then is told then." />
            { again(props) }
        </div>
    }
}

fn set<T: 'static>(props: &SilenceFieldsProps, apply: fn(&mut SilenceForm, T)) -> Callback<T> {
    let form = props.form.clone();
    props.on_change.reform(move |value| {
        let mut next = form.clone();
        apply(&mut next, value);
        next
    })
}

fn severity(props: &SilenceFieldsProps) -> Html {
    let options = [
        ("", "Every severity"),
        ("info", "info"),
        ("warning", "warning or less"),
        ("critical", "critical or less"),
    ];
    let options = options.map(|(name, title)| (name.to_owned(), title.to_owned())).to_vec();
    html! {
        <SelectField name="severity" label="Severity" value={props.form.severity.map(words::severity).unwrap_or_default()} {options}
            on_change={set(props, |form, name: String| form.severity = words::severity_from(&name))} />
    }
}

fn again(props: &SilenceFieldsProps) -> Html {
    let all =
        [(Recurrence::Never, "Once"), (Recurrence::Daily, "Every day"), (Recurrence::Weekly, "Every week")];
    let options = all.map(|(again, title)| (words::recurrence(again).to_owned(), title.to_owned())).to_vec();
    let on_change = set(props, |form, name: String| {
        let all = [Recurrence::Never, Recurrence::Daily, Recurrence::Weekly];
        form.again = all.into_iter().find(|again| words::recurrence(*again) == name).unwrap_or_default();
    });
    html! {
        <SelectField name="again" label="Again" value={words::recurrence(props.form.again)} {options} {on_change}
            hint="A maintenance window comes again at the same time, by UTC." />
    }
}
