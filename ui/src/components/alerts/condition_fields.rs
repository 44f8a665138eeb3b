//! What about the records is wrong: the kind, and the fields of that kind.

use yew::{Callback, Html, Properties, component, html};

use crate::components::forms::field::{SelectField, TextField};
use crate::state::alerts::condition_form::{ConditionForm, Kind};
use crate::state::query_check;

#[derive(PartialEq, Properties)]
pub struct ConditionFieldsProps {
    pub form: ConditionForm,
    pub on_change: Callback<ConditionForm>,
    pub on_kind: Callback<Kind>,
}

#[component]
pub fn ConditionFields(props: &ConditionFieldsProps) -> Html {
    let kinds = Kind::ALL.map(|kind| (kind.name().to_owned(), kind.title().to_owned())).to_vec();
    let on_kind = {
        let on_kind = props.on_kind.clone();
        Callback::from(move |name: String| {
            Kind::from_name(&name).into_iter().for_each(|kind| on_kind.emit(kind))
        })
    };
    html! {
        <div class="form-grid">
            <SelectField name="condition" label="Fires on" value={props.form.kind.name()} options={kinds} on_change={on_kind}
                hint={props.form.kind.meaning()} is_wide=true />
            { fields(props) }
        </div>
    }
}

fn fields(props: &ConditionFieldsProps) -> Html {
    let form = &props.form;
    match form.kind {
        Kind::ErrorRate => html! { <>
            { number(props, "factor", "Times the normal", &form.factor, "", "3: three times as many errors a minute as usual.", |form, text| form.factor = text) }
            { number(props, "errors_per_min_floor", "And at least", &form.errors_per_min_floor, "errors a minute", "Fewer are never a spike.", |form, text| form.errors_per_min_floor = text) }
            { number(props, "history_mins", "Normal is that of", &form.history_mins, "minutes before", "", |form, text| form.history_mins = text) }
            { number(props, "history_mins_min", "Judged from", &form.history_mins_min, "minutes on", "Before, too little is known of the group.", |form, text| form.history_mins_min = text) }
        </> },
        Kind::Latency => html! { <>
            { statistic(props) }
            { number(props, "threshold_ms", "Over", &form.threshold_ms, "ms", "", |form, text| form.threshold_ms = text) }
            { code(props, "field", "Of the field", &form.field, "A field that holds milliseconds.", |form, text| form.field = text) }
            { records_min(props, "Fewer records in the window say nothing about slowness.") }
        </> },
        Kind::Anomaly => html! { <>
            { number(props, "score_min", "Score of", &form.score_min, "or more", "1 is the detectors' own threshold; 2 is loud.", |form, text| form.score_min = text) }
            { number(props, "episodes_max", "Tolerated at once", &form.episodes_max, "", "0: the first one fires.", |form, text| form.episodes_max = text) }
        </> },
        Kind::Query => html! { <>
            { code(props, "value", "Figure", &form.value, "count(), avg(bytes), distinct(userId), count() if (status:>=500) …", |form, text| form.value = text) }
            { relation(props) }
            { number(props, "threshold", "Threshold", &form.threshold, "", "", |form, text| form.threshold = text) }
        </> },
        Kind::Ratio => html! { <>
            { query(props, "of", "Records that meet", &form.of, "", |form, text| form.of = text) }
            { query(props, "to", "As a share of those that meet", &form.to, "Empty: of all records of the rule.", |form, text| form.to = text) }
            { relation(props) }
            { number(props, "threshold", "Share", &form.threshold, "of 1", "0.05 is five in a hundred.", |form, text| form.threshold = text) }
            { records_min(props, "A share of fewer records says nothing.") }
        </> },
        Kind::NoData => {
            lookback(props, "Who has written within", "before the window is expected to go on writing.")
        }
        Kind::NewPattern => html! { <>
            { lookback(props, "Not seen for", "Longer makes fewer messages new.") }
            { records_min(props, "A message that comes fewer times is passed over.") }
        </> },
    }
}

type Apply = fn(&mut ConditionForm, String);

/// Hands on the form with one field changed.
fn set(props: &ConditionFieldsProps, apply: Apply) -> Callback<String> {
    let form = props.form.clone();
    props.on_change.reform(move |text| {
        let mut next = form.clone();
        apply(&mut next, text);
        next
    })
}

fn number(
    props: &ConditionFieldsProps,
    name: &'static str,
    label: &'static str,
    value: &str,
    unit: &'static str,
    hint: &'static str,
    apply: Apply,
) -> Html {
    html! { <TextField {name} {label} value={value.to_owned()} on_change={set(props, apply)} kind="number" {unit} {hint} /> }
}

fn code(
    props: &ConditionFieldsProps,
    name: &'static str,
    label: &'static str,
    value: &str,
    hint: &'static str,
    apply: Apply,
) -> Html {
    html! { <TextField {name} {label} value={value.to_owned()} on_change={set(props, apply)} is_code=true {hint} /> }
}

fn query(
    props: &ConditionFieldsProps,
    name: &'static str,
    label: &'static str,
    value: &str,
    hint: &'static str,
    apply: Apply,
) -> Html {
    html! {
        <TextField {name} {label} value={value.to_owned()} on_change={set(props, apply)} is_code=true is_wide=true {hint}
            problem={query_check::problem(value)} />
    }
}

fn relation(props: &ConditionFieldsProps) -> Html {
    let options = [(">", "over"), (">=", "at least"), ("<", "under"), ("<=", "at most")];
    let options = options.map(|(sign, word)| (sign.to_owned(), format!("is {word}"))).to_vec();
    html! {
        <SelectField name="is" label="Fires when it" value={props.form.relation.clone()} {options}
            on_change={set(props, |form, text| form.relation = text)} />
    }
}

fn statistic(props: &ConditionFieldsProps) -> Html {
    let offered = ["avg", "p50", "p75", "p90", "p95", "p99", "p99.9"].map(str::to_owned).to_vec();
    html! {
        <TextField name="statistic" label="Statistic" value={props.form.statistic.clone()} {offered} is_code=true
            on_change={set(props, |form, text| form.statistic = text)} hint="avg, or a quantile such as p95: 95 of 100 are faster." />
    }
}

fn records_min(props: &ConditionFieldsProps, hint: &'static str) -> Html {
    number(props, "records_min", "From", &props.form.records_min, "records on", hint, |form, text| {
        form.records_min = text
    })
}

fn lookback(props: &ConditionFieldsProps, label: &'static str, hint: &'static str) -> Html {
    html! {
        <TextField name="lookback_secs" {label} value={props.form.lookback.clone()} {hint} placeholder="1d"
            on_change={set(props, |form, text| form.lookback = text)} />
    }
}
