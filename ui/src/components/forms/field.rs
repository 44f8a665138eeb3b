//! Fields with one value: text in all its kinds, and a choice of one.

use yew::{
    AttrValue, Callback, Children, Event, Html, InputEvent, Properties, TargetCast, classes, component, html,
};

use super::form::{field_id, use_fault_of};

#[derive(PartialEq, Properties)]
pub(super) struct FrameProps {
    pub(super) name: AttrValue,
    pub(super) label: AttrValue,
    pub(super) hint: AttrValue,
    pub(super) problem: Option<String>,
    #[prop_or_default]
    pub(super) is_wide: bool,
    pub(super) children: Children,
}

/// Label above, hint and error below.
#[component]
pub(super) fn Frame(props: &FrameProps) -> Html {
    let id = field_id(&props.name);
    html! {
        <div class={classes!("form-field", props.is_wide.then_some("wide"))}>
            <label for={id.clone()}>{ &props.label }</label>
            { for props.children.iter() }
            { notes(&id, &props.hint, props.problem.as_deref()) }
        </div>
    }
}

/// Hint and error of a control, under the ids that [`described_by`] names.
pub(super) fn notes(id: &str, hint: &str, problem: Option<&str>) -> Html {
    html! {
        <>
            if let Some(problem) = problem {
                <pre id={format!("{id}-problem")} class="field-problem">{ problem }</pre>
            }
            if !hint.is_empty() { <p id={format!("{id}-hint")} class="field-hint">{ hint }</p> }
        </>
    }
}

pub(super) fn described_by(id: &str, hint: &str, problem: Option<&str>) -> Option<String> {
    let names: Vec<String> = [problem.map(|_| "problem"), (!hint.is_empty()).then_some("hint")]
        .into_iter()
        .flatten()
        .map(|part| format!("{id}-{part}"))
        .collect();
    (!names.is_empty()).then(|| names.join(" "))
}

#[derive(PartialEq, Properties)]
pub struct TextFieldProps {
    /// As the API names it.
    pub name: AttrValue,
    pub label: AttrValue,
    pub value: String,
    pub on_change: Callback<String>,
    #[prop_or_default]
    pub hint: AttrValue,
    /// Of the input: `text`, `number`, `password`, `datetime-local`; `area` for several lines.
    #[prop_or(AttrValue::Static("text"))]
    pub kind: AttrValue,
    #[prop_or_default]
    pub placeholder: AttrValue,
    /// Behind the value.
    #[prop_or_default]
    pub unit: AttrValue,
    /// What may be meant; anything else can be typed.
    #[prop_or_default]
    pub offered: Vec<String>,
    /// Wrong already while it is typed.
    #[prop_or_default]
    pub problem: Option<String>,
    #[prop_or_default]
    pub is_code: bool,
    #[prop_or_default]
    pub is_wide: bool,
    #[prop_or_default]
    pub is_fixed: bool,
    #[prop_or(AttrValue::Static("off"))]
    pub autocomplete: AttrValue,
}

#[component]
pub fn TextField(props: &TextFieldProps) -> Html {
    let id = field_id(&props.name);
    let problem = props.problem.clone().or(use_fault_of(&props.name));
    let described = described_by(&id, &props.hint, problem.as_deref());
    let (invalid, class) = (problem.is_some().to_string(), classes!(props.is_code.then_some("code")));
    let list = (!props.offered.is_empty()).then(|| format!("{id}-offered"));
    let control = if props.kind == "area" {
        let oninput = props.on_change.reform(|event: InputEvent| {
            event.target_unchecked_into::<web_sys::HtmlTextAreaElement>().value()
        });
        html! {
            <textarea id={id} {class} rows="4" value={props.value.clone()} {oninput} aria-invalid={invalid} aria-describedby={described}
                placeholder={props.placeholder.clone()} readonly={props.is_fixed} spellcheck="false" />
        }
    } else {
        let oninput = props
            .on_change
            .reform(|event: InputEvent| event.target_unchecked_into::<web_sys::HtmlInputElement>().value());
        // Numbers are typed as text: an input of kind number hides what it cannot read.
        let (kind, mode) = if props.kind == "number" {
            ("text".into(), Some("decimal"))
        } else {
            (props.kind.clone(), None)
        };
        html! {
            <span class="form-input">
                <input id={id} type={kind} inputmode={mode} {class} value={props.value.clone()} {oninput} aria-invalid={invalid}
                    aria-describedby={described} placeholder={props.placeholder.clone()} readonly={props.is_fixed}
                    list={list.clone()} autocomplete={props.autocomplete.clone()} autocapitalize="off" spellcheck="false" />
                if !props.unit.is_empty() { <span class="unit">{ &props.unit }</span> }
                if let Some(list) = list { { offered(&list, &props.offered) } }
            </span>
        }
    };
    html! {
        <Frame name={props.name.clone()} label={props.label.clone()} hint={props.hint.clone()} {problem} is_wide={props.is_wide}>
            { control }
        </Frame>
    }
}

pub(super) fn offered(id: &str, values: &[String]) -> Html {
    html! {
        <datalist id={id.to_owned()}>{ for values.iter().map(|value| html! { <option value={value.clone()} /> }) }</datalist>
    }
}

#[derive(PartialEq, Properties)]
pub struct SelectFieldProps {
    pub name: AttrValue,
    pub label: AttrValue,
    pub value: String,
    /// Values and what they are called.
    pub options: Vec<(String, String)>,
    pub on_change: Callback<String>,
    #[prop_or_default]
    pub hint: AttrValue,
    #[prop_or_default]
    pub is_wide: bool,
}

#[component]
pub fn SelectField(props: &SelectFieldProps) -> Html {
    let id = field_id(&props.name);
    let problem = use_fault_of(&props.name);
    let described = described_by(&id, &props.hint, problem.as_deref());
    let onchange = props
        .on_change
        .reform(|event: Event| event.target_unchecked_into::<web_sys::HtmlSelectElement>().value());
    html! {
        <Frame name={props.name.clone()} label={props.label.clone()} hint={props.hint.clone()} problem={problem.clone()} is_wide={props.is_wide}>
            <select id={id} {onchange} aria-invalid={problem.is_some().to_string()} aria-describedby={described}>
                { for props.options.iter().map(|(value, label)| html! {
                    <option value={value.clone()} selected={*value == props.value}>{ label }</option>
                }) }
            </select>
        </Frame>
    }
}
