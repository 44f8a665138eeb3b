//! What detectors are told.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use crate::api::settings::DetectionSettings;
use crate::components::forms::field::TextField;
use crate::components::forms::form::{Form, SubmitLine};
use crate::components::forms::values::ValuesField;
use crate::components::states;
use crate::hooks::answer::{Asking, asking, use_answer};
use crate::hooks::sending::use_sending;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::forms::{self, Fault};

const CONFLICT: u16 = 409;

#[component]
pub(super) fn DetectionTab() -> Html {
    let asked = use_answer((), None, |()| asking(requests::settings::detection()));
    let again = asked.again.clone();
    states::shown(&asked, states::skeleton_lines(4), |settings: &Rc<DetectionSettings>| {
        html! { <Editor key={settings.revision} before={(**settings).clone()} on_again={again} /> }
    })
}

#[derive(PartialEq, Properties)]
struct EditorProps {
    before: DetectionSettings,
    on_again: Callback<()>,
}

#[component]
fn Editor(props: &EditorProps) -> Html {
    let masks = use_state_eq(|| props.before.masks.clone());
    let alerts_per_day = use_state_eq(|| props.before.alerts_per_day.to_string());
    let sending = use_sending(props.on_again.clone());
    let on_submit = {
        let (sending, masks, alerts_per_day) = (sending.clone(), masks.clone(), alerts_per_day.clone());
        let revision = props.before.revision;
        Callback::from(move |()| {
            let made = settings(revision, &masks, &alerts_per_day);
            sending.send_or_refuse(
                made.map(|made| -> Asking<()> { Box::pin(requests::settings::set_detection(made)) }),
            );
        })
    };
    let is_conflict = sending.fault.as_ref().is_some_and(|fault| fault.status == CONFLICT);
    html! {
        <section class="card narrow" aria-label="Detection">
            <Form fault={sending.fault.clone()} {on_submit}>
                <TextField name="alerts_per_day" label="Alerts a service may raise" kind="number" unit="a day" value={(*alerts_per_day).clone()}
                    on_change={Callback::from(move |text| alerts_per_day.set(text))}
                    hint="On the average: with more, thresholds rise. 0.2 is one in five days; 0.01 to 24." />
                <ValuesField name="masks" label="Variable parts of messages" values={(*masks).clone()} is_comma_part=true placeholder="tenant=\\S+"
                    on_change={Callback::from(move |values| masks.set(values))}
                    hint="Regular expressions; what they match is taken for a value, such as a name, and not for words of the message. Numbers, ids and addresses are known. Enter adds one; 32 at most." />
                <SubmitLine label="Save" is_sending={sending.is_sending} />
            </Form>
            if is_conflict {
                <div class="banner failure" role="alert">
                    <p>{ "Somebody else changed the settings meanwhile. Look at theirs, then make your change again." }</p>
                    <button type="button" onclick={props.on_again.reform(|_| ())}>{ "Show theirs" }</button>
                </div>
            }
            <p class="hint">{ match props.before.revision {
                0 => "Nobody has changed these so far. Detectors heed a change within ten seconds.".to_owned(),
                revision => format!("Changed {revision} times so far. Detectors heed a change within ten seconds."),
            } }</p>
        </section>
    }
}

fn settings(revision: u64, masks: &[String], alerts_per_day: &str) -> Result<DetectionSettings, Fault> {
    let alerts_per_day = forms::number("alerts_per_day", alerts_per_day)?;
    let settings = DetectionSettings { revision, masks: masks.to_vec(), alerts_per_day };
    match settings.problem() {
        Some((field, problem)) => Err(Fault::at(field, problem)),
        None => Ok(settings),
    }
}
