//! What is told to whom when something is wrong: incidents, the rules that find them, channels, silences, deliveries.

mod acknowledge;
mod channel_editor;
mod channels;
mod deliveries;
mod editor;
mod incident;
mod incidents;
mod rule_editor;
mod rules;
mod silence_editor;
mod silences;

use yew::{Html, component, html};

use crate::components::link::Link;
use crate::hooks::address::use_view;
use crate::hooks::app::use_app;
use crate::state::alerts::view::{AlertsView, Editing, Tab};
use crate::state::page::View;

#[component]
pub(super) fn AlertsPage() -> Html {
    let (view, show) = use_view::<AlertsView>();
    let app = use_app();
    let tab = |tab: Tab| {
        let is_here = tab == view.tab;
        html! { <Link to={AlertsView::of(tab).place()} class={yew::classes!(is_here.then_some("here"))} {is_here}>{ tab.title() }</Link> }
    };
    let can_change = app.is_admin();
    let view_of = (*view).clone();
    html! {
        <div class="page alerts-page">
            <h1>{ "Alerts" }</h1>
            <nav class="tabs" aria-label="Alerts">{ for Tab::ALL.map(tab) }</nav>
            if !can_change && view.tab != Tab::Deliveries {
                <p class="hint viewer-note">{ "Changing this needs an admin." }
                    if app.user().is_none() { <button type="button" class="quiet" onclick={app.sign_in.reform(|_| ())}>{ "Sign in" }</button> }
                </p>
            }
            { match (view.tab, &view.incident, &view.editing) {
                (Tab::Incidents, Some(id), _) => html! { <incident::OneIncident key={*id} id={*id} /> },
                (Tab::Incidents, None, _) => html! { <incidents::IncidentsTab view={view_of} {show} /> },
                (Tab::Rules, _, Some(editing)) => html! { <rule_editor::RuleEditor key={key(editing)} editing={editing.clone()} {can_change} /> },
                (Tab::Rules, _, None) => html! { <rules::RulesTab /> },
                (Tab::Channels, _, editing) => html! { <channels::ChannelsTab editing={editing.clone()} /> },
                (Tab::Silences, _, _) => html! { <silences::SilencesTab view={view_of} /> },
                (Tab::Deliveries, _, _) => html! { <deliveries::DeliveriesTab view={view_of} {show} /> },
            } }
        </div>
    }
}

/// Another thing to edit begins a form anew.
fn key(editing: &Editing) -> String {
    format!("{editing:?}")
}
