//! How long logs are kept. What a change deletes is said before it is saved.

use std::rc::Rc;

use yew::{Callback, Html, InputEvent, Properties, TargetCast, component, html};

use crate::api::settings::Retention;
use crate::components::forms::confirm::Confirm;
use crate::components::forms::field::TextField;
use crate::components::forms::form::{Form, SubmitLine};
use crate::components::states;
use crate::hooks::answer::{Asking, asking, use_answer};
use crate::hooks::sending::use_sending;
use crate::hooks::services::use_services;
use crate::hooks::state::{State, use_state_eq};
use crate::network::requests;
use crate::state::admin::retention_form::{RetentionForm, losses};

#[component]
pub(super) fn RetentionTab() -> Html {
    let asked = use_answer((), None, |()| asking(requests::settings::retention()));
    let again = asked.again.clone();
    states::shown(&asked, states::skeleton_lines(4), |retention: &Rc<Retention>| {
        // Other settings begin the form anew.
        html! { <Editor key={format!("{retention:?}")} before={(**retention).clone()} on_saved={again} /> }
    })
}

#[derive(PartialEq, Properties)]
struct EditorProps {
    before: Retention,
    on_saved: Callback<()>,
}

#[component]
fn Editor(props: &EditorProps) -> Html {
    let form = use_state_eq(|| RetentionForm::of(&props.before));
    let confirming = use_state_eq(|| None::<Retention>);
    let is_saved = use_state_eq(|| false);
    let on_done = {
        let (confirming, is_saved, on_saved) = (confirming.clone(), is_saved.clone(), props.on_saved.clone());
        Callback::from(move |()| {
            confirming.set(None);
            is_saved.set(true);
            on_saved.emit(());
        })
    };
    let sending = use_sending(on_done.clone());
    let on_submit = {
        let (form, confirming, sending, before) =
            (form.clone(), confirming.clone(), sending.clone(), props.before.clone());
        Callback::from(move |()| match form.retention() {
            Ok(after) if !losses(&before, &after).is_empty() => confirming.set(Some(after)),
            made => sending.send_or_refuse(
                made.map(|after| -> Asking<()> { Box::pin(requests::settings::set_retention(after)) }),
            ),
        })
    };
    let on_default = {
        let form = form.clone();
        Callback::from(move |default_days| form.set(RetentionForm { default_days, ..(*form).clone() }))
    };
    let on_close = {
        let confirming = confirming.clone();
        Callback::from(move |()| confirming.set(None))
    };
    html! {
        <section class="card narrow" aria-label="Retention">
            <Form fault={sending.fault.clone()} {on_submit}>
                <p class="hint">{ "By the time that records say of themselves. What is older is deleted on every node, and cannot be brought back but from a backup." }</p>
                <TextField name="default_days" label="Every service" kind="number" unit="days" value={form.default_days.clone()} on_change={on_default}
                    placeholder="for ever" hint="Empty: for ever." />
                <Services {form} />
                <SubmitLine label="Save" is_sending={sending.is_sending} />
            </Form>
            if *is_saved { <p role="status" class="cause good">{ "Saved." }</p> }
            if let Some(after) = &*confirming {
                <Shorter before={props.before.clone()} after={after.clone()} {on_done} {on_close} />
            }
        </section>
    }
}

#[derive(PartialEq, Properties)]
struct ServicesProps {
    form: State<RetentionForm>,
}

/// What is done to the lines, each a service and its days.
type Change = Rc<dyn Fn(&mut Vec<(String, String)>)>;

/// Services with a time of their own, a line each.
#[component]
fn Services(props: &ServicesProps) -> Html {
    let form = &props.form;
    let offered = use_services();
    let change = |apply: Change| {
        let form = form.clone();
        move || {
            let mut next = (*form).clone();
            apply(&mut next.services);
            form.set(next);
        }
    };
    let add = change(Rc::new(|lines| lines.push(Default::default())));
    let row = |place: usize, name: &str, days: &str| {
        let typed = |apply: fn(&mut (String, String), String)| {
            let form = form.clone();
            Callback::from(move |event: InputEvent| {
                let text = event.target_unchecked_into::<web_sys::HtmlInputElement>().value();
                let mut next = (*form).clone();
                if let Some(line) = next.services.get_mut(place) {
                    apply(line, text);
                }
                form.set(next);
            })
        };
        let remove = change(Rc::new(move |lines| drop(lines.remove(place))));
        let number = place + 1;
        html! {
            <div class="pair days">
                <input id={(place == 0).then_some("field-services")} type="text" value={name.to_owned()} placeholder="Service" list="services-offered"
                    oninput={typed(|line, text| line.0 = text)} aria-label={format!("Service {number}")} autocomplete="off" />
                <span class="form-input"><input type="text" inputmode="numeric" value={days.to_owned()} placeholder="for ever"
                    oninput={typed(|line, text| line.1 = text)} aria-label={format!("Days of service {number}")} /><span class="unit">{ "days" }</span></span>
                <button type="button" class="quiet" onclick={move |_| remove()} aria-label={format!("Remove line {number}")}>{ "×" }</button>
            </div>
        }
    };
    html! {
        <fieldset class="form-field wide">
            <legend>{ "Services with a time of their own" }</legend>
            { for form.services.iter().enumerate().map(|(place, (name, days))| row(place, name, days)) }
            <datalist id="services-offered">{ for offered.iter().map(|name| html! { <option value={name.clone()} /> }) }</datalist>
            <div><button type="button" onclick={move |_| add()}>{ "Add a service" }</button></div>
        </fieldset>
    }
}

#[derive(PartialEq, Properties)]
struct ShorterProps {
    before: Retention,
    after: Retention,
    on_done: Callback<()>,
    on_close: Callback<()>,
}

#[component]
fn Shorter(props: &ShorterProps) -> Html {
    let after = props.after.clone();
    let ask = Callback::from(move |()| -> Asking<()> {
        Box::pin(requests::settings::set_retention(after.clone()))
    });
    html! {
        <Confirm title="Delete what is older?" action="Save and delete" {ask} on_done={props.on_done.clone()} on_close={props.on_close.clone()}>
            <p>{ "This is deleted within minutes, on every node:" }</p>
            <ul class="losses">{ for losses(&props.before, &props.after).into_iter().map(|loss| html! { <li>{ loss }</li> }) }</ul>
            <p>{ "It cannot be undone." }</p>
        </Confirm>
    }
}
