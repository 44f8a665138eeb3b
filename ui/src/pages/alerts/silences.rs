//! Times in which nobody is told.

use std::rc::Rc;

use insighthub_model::Timestamp;
use yew::{Callback, Html, Properties, component, html};

use super::silence_editor::SilenceEditor;
use crate::api::alerts::{ListedSilence, Silence};
use crate::browser::clock;
use crate::components::alerts::silence_table::{SilenceAct, SilenceTable};
use crate::components::forms::confirm::Confirm;
use crate::components::link::Link;
use crate::components::notice::Empty;
use crate::components::states;
use crate::hooks::answer::{Asking, asking, use_answer};
use crate::hooks::app::use_app;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::alerts::view::{AlertsView, Editing, Tab};
use crate::state::alerts::words::{SilenceState, silence_state};
use crate::state::page::View;

const RENEW_MS: u32 = 5_000;

#[derive(PartialEq, Properties)]
pub(super) struct SilencesTabProps {
    pub(super) view: AlertsView,
}

#[component]
pub(super) fn SilencesTab(props: &SilencesTabProps) -> Html {
    let app = use_app();
    let asked = use_answer((), Some(RENEW_MS), |()| asking(requests::alerts::silences()));
    let acting = use_state_eq(|| None::<(SilenceAct, ListedSilence)>);
    let leave = {
        let (acting, open, again) = (acting.clone(), app.open.clone(), asked.again.clone());
        Callback::from(move |()| {
            acting.set(None);
            open.emit(AlertsView::of(Tab::Silences).place());
            again.emit(());
        })
    };
    let on_act = app.is_admin().then(|| {
        let acting = acting.clone();
        Callback::from(move |act| acting.set(Some(act)))
    });
    let view = props.view.clone();
    let editing = view.editing.clone().filter(|_| app.is_admin());
    html! {
        <>
            if app.is_admin() {
                <div class="toolbar"><Link to={AlertsView::editing(Tab::Silences, Editing::New).place()} class="button primary">{ "New silence" }</Link></div>
            }
            { states::shown(&asked, states::skeleton_lines(4), |silences: &Rc<Vec<ListedSilence>>| html! {
                <>
                    { list(silences, on_act.clone()) }
                    { editing.map(|editing| html! {
                        <SilenceEditor {editing} rule={view.rule.clone()} service={view.service.clone()} silences={silences.clone()} on_close={leave.clone()} />
                    }) }
                </>
            }) }
            if let Some((act, silence)) = &*acting { <EndSilence act={*act} silence={silence.clone()} on_close={leave.clone()} /> }
        </>
    }
}

fn list(silences: &[ListedSilence], on_act: Option<Callback<(SilenceAct, ListedSilence)>>) -> Html {
    if silences.is_empty() {
        return html! {
            <Empty title="No silences"><p>{ "Everything that fires is told. A silence keeps it quiet for a while: for a release, or for what is known." }</p></Empty>
        };
    }
    let now = Timestamp::from_millis(clock::now_ms() as i64);
    let mut silences: Vec<(SilenceState, ListedSilence)> =
        silences.iter().map(|listed| (silence_state(&listed.silence, now), listed.clone())).collect();
    silences.sort_by_key(|(state, listed)| (*state, std::cmp::Reverse(listed.silence.ends_at)));
    html! { <SilenceTable {silences} {on_act} /> }
}

#[derive(PartialEq, Properties)]
struct EndSilenceProps {
    act: SilenceAct,
    silence: ListedSilence,
    on_close: Callback<()>,
}

/// One that comes again has no end of its own: only deleting it ends it.
#[component]
fn EndSilence(props: &EndSilenceProps) -> Html {
    let listed = props.silence.clone();
    let ends = props.act == SilenceAct::EndNow && listed.silence.again == Default::default();
    let ask = Callback::from(move |()| -> Asking<()> {
        let now = Timestamp::from_millis(clock::now_ms() as i64);
        if ends {
            let silence = Silence { ends_at: now, ..listed.silence.clone() };
            return Box::pin(requests::alerts::set_silence(listed.name.clone(), silence));
        }
        Box::pin(requests::alerts::remove_silence(listed.name.clone()))
    });
    let name = &props.silence.name;
    let (title, action, text) = if ends {
        (
            format!("End silence {name} now?"),
            "End it now",
            "What it kept quiet and still fires is told within seconds. The silence stays in the list as over.",
        )
    } else {
        (
            format!("Delete silence {name}?"),
            "Delete silence",
            "It is taken off the list and does not come again. What it kept quiet and still fires is told within seconds.",
        )
    };
    html! {
        <Confirm {title} {action} {ask} on_done={props.on_close.clone()} on_close={props.on_close.clone()}><p>{ text }</p></Confirm>
    }
}
