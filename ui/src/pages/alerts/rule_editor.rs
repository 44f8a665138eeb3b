//! A rule being written, with what it would have done beside it.

use std::rc::Rc;

use gloo_timers::callback::Timeout;
use yew::{Callback, Html, Properties, component, hook, html, use_mut_ref};

use super::rules::DeleteRule;
use crate::api::alerts::{ListedRule, Rule};
use crate::browser::clock;
use crate::components::alerts::preview::PreviewFigures;
use crate::components::alerts::rule_fields::RuleFields;
use crate::components::forms::form::{Form, SubmitLine};
use crate::components::link::Link;
use crate::components::notice::{Empty, reason};
use crate::components::states;
use crate::components::time_picker::TimePicker;
use crate::hooks::answer::{Asking, asking, use_answer};
use crate::hooks::app::use_app;
use crate::hooks::effect::use_effect_with;
use crate::hooks::sending::use_sending;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::alerts::rule_form::RuleForm;
use crate::state::alerts::view::{AlertsView, Editing, Tab};
use crate::state::alerts::words;
use crate::state::forms::Fault;
use crate::state::page::View;
use crate::state::range::Range;

/// A preview may look at many records: it waits until nobody has typed for so long.
const REST_MS: u32 = 600;

#[derive(PartialEq, Properties)]
pub(super) struct RuleEditorProps {
    pub(super) editing: Editing,
    pub(super) can_change: bool,
}

/// Reads the rules first: one of them may be what the form begins as.
#[component]
pub(super) fn RuleEditor(props: &RuleEditorProps) -> Html {
    let asked = use_answer((), None, |()| asking(requests::alerts::rules()));
    let editing = props.editing.clone();
    let can_change = props.can_change;
    html! {
        <>
            <p><Link to={AlertsView::of(Tab::Rules).place()}>{ "← All rules" }</Link></p>
            { states::shown(&asked, states::skeleton_lines(8), move |rules| match start(&editing, rules) {
                Some(form) if can_change => html! { <Editor {form} is_new={!matches!(editing, Editing::Old(_))} /> },
                Some(form) => html! { <Reader {form} /> },
                None => html! {
                    <Empty title="There is no such rule"><p>{ "It may have been removed." }</p></Empty>
                },
            }) }
        </>
    }
}

fn start(editing: &Editing, rules: &[ListedRule]) -> Option<RuleForm> {
    let find = |name: &str| {
        rules.iter().find(|listed| listed.name == name).map(|listed| RuleForm::of(&listed.name, &listed.rule))
    };
    match editing {
        Editing::New => Some(RuleForm::default()),
        Editing::Old(name) => find(name),
        Editing::CopyOf(name) => {
            let taken: Vec<String> = rules.iter().map(|listed| listed.name.clone()).collect();
            find(name).map(|form| form.copied(&taken))
        }
    }
}

#[derive(PartialEq, Properties)]
struct EditorProps {
    /// What it begins as.
    form: RuleForm,
    is_new: bool,
}

#[component]
fn Editor(props: &EditorProps) -> Html {
    let app = use_app();
    let form = use_state_eq(|| props.form.clone());
    let is_deleting = use_state_eq(|| false);
    let channels = use_answer((), None, |()| asking(requests::alerts::channels()));
    let channels: Vec<String> =
        channels.value().map(|all| all.iter().map(|one| one.name.clone()).collect()).unwrap_or_default();
    let leave = app.open.reform(|()| AlertsView::of(Tab::Rules).place());
    let sending = use_sending(leave.clone());
    let on_change = {
        let (form, refuse) = (form.clone(), sending.refuse.clone());
        Callback::from(move |next: RuleForm| {
            refuse.emit(None);
            form.set(next);
        })
    };
    let on_submit = {
        let (form, sending) = (form.clone(), sending.clone());
        Callback::from(move |()| {
            let made = form
                .named()
                .map(|(name, rule)| -> Asking<()> { Box::pin(requests::alerts::set_rule(name, rule)) });
            sending.send_or_refuse(made);
        })
    };
    let set_deleting = |to: bool| {
        let is_deleting = is_deleting.clone();
        Callback::from(move |()| is_deleting.set(to))
    };
    html! {
        <div class="editor">
            <section class="card" aria-label="Rule">
                <div class="card-head"><h2>{ if props.is_new { "New rule".to_owned() } else { format!("Rule {}", props.form.name) } }</h2>
                    <span class="spacer"></span>
                    if !props.is_new { <button type="button" class="danger" onclick={set_deleting(true).reform(|_| ())}>{ "Delete" }</button> }
                </div>
                <Form fault={sending.fault.clone()} {on_submit}>
                    <RuleFields form={(*form).clone()} {on_change} is_new={props.is_new} {channels} />
                    <SubmitLine label={if props.is_new { "Make rule" } else { "Save rule" }} is_sending={sending.is_sending} on_cancel={Some(leave.clone())} />
                </Form>
            </section>
            <LivePreview form={(*form).clone()} />
            if *is_deleting { <DeleteRule name={props.form.name.clone()} on_close={set_deleting(false)} on_done={leave} /> }
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct FormProps {
    form: RuleForm,
}

/// The rule for who may not change it.
#[component]
fn Reader(props: &FormProps) -> Html {
    let rule = props.form.tried().ok();
    html! {
        <div class="editor">
            <section class="card"><div class="card-head"><h2>{ &props.form.title }</h2></div>
                if let Some(rule) = rule {
                    <dl class="facts">
                        <div><dt>{ "Fires when" }</dt><dd>{ words::condition(&rule) }</dd></div>
                        <div><dt>{ "Records" }</dt><dd>{ words::scope(&rule) }</dd></div>
                        <div><dt>{ "Severity" }</dt><dd>{ words::severity(rule.severity) }</dd></div>
                        <div><dt>{ "Channels" }</dt><dd>{ if props.form.channels.is_empty() { "none".to_owned() } else { props.form.channels.join(", ") } }</dd></div>
                        <div><dt>{ "Owner" }</dt><dd>{ rule.owner.clone().unwrap_or_else(|| "nobody".to_owned()) }</dd></div>
                    </dl>
                }
            </section>
            <LivePreview form={props.form.clone()} />
        </div>
    }
}

/// When the rule as it stands would have fired; asked again once nobody has typed for a moment.
#[component]
fn LivePreview(props: &FormProps) -> Html {
    let range = use_state_eq(|| Range::Last(86_400));
    let rested = use_rested(props.form.clone());
    let tried = rested.tried();
    let key = tried.as_ref().ok().map(|rule| (rule.clone(), *range));
    let asked = use_answer(key, None, |key: &Option<(Rule, Range)>| {
        let (rule, range) = key.clone()?;
        asking(requests::alerts::preview(rule, range.at(clock::now_ms())))
    });
    let on_range = {
        let range = range.clone();
        Callback::from(move |next| range.set(next))
    };
    let severity = props.form.severity;
    html! {
        <section class="card preview" aria-labelledby="preview-title">
            <div class="card-head"><h2 id="preview-title">{ "Preview" }</h2><span class="spacer"></span>
                <TimePicker range={*range} on_change={on_range} /></div>
            <div aria-live="polite">{ match &tried {
                Err(fault) => not_yet(fault),
                Ok(_) => states::shown(&asked, states::skeleton_chart(), |preview| html! {
                    <PreviewFigures preview={(**preview).clone()} {severity} />
                }),
            } }</div>
        </section>
    }
}

fn not_yet(fault: &Fault) -> Html {
    html! { <div class="hint"><p>{ "Not yet a rule that can be tried." }</p>{ reason(&fault.message) }</div> }
}

/// The value once it has not changed for a while.
#[hook]
fn use_rested(form: RuleForm) -> Rc<RuleForm> {
    let rested = use_state_eq(|| Rc::new(form.clone()));
    let timer = use_mut_ref(|| None::<Timeout>);
    use_effect_with(form, {
        let rested = rested.clone();
        move |form| {
            let form = Rc::new(form.clone());
            *timer.borrow_mut() = Some(Timeout::new(REST_MS, move || rested.set(form)));
        }
    });
    (*rested).clone()
}
