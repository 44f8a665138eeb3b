//! The incidents of the range, one of them open, and verdicts on them.

use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;
use yew::{Callback, Html, Properties, component, html};

use crate::api::anomalies::{Anomalies, Anomaly, EpisodeId, Verdict};
use crate::api::error::ApiError;
use crate::browser::clock;
use crate::components::analytics::episode_card::EpisodeCard;
use crate::components::link::Link;
use crate::components::notice::{Empty, Failure};
use crate::hooks::app::use_app;
use crate::hooks::memo::use_callback;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::analytics::view::AnalyticsView;
use crate::state::page::View;

#[derive(PartialEq, Properties)]
pub(super) struct EpisodesProps {
    pub(super) anomalies: Rc<Anomalies>,
    pub(super) view: AnalyticsView,
    pub(super) on_toggle: Callback<EpisodeId>,
    /// A verdict was said.
    pub(super) on_changed: Callback<()>,
}

#[component]
pub(super) fn Episodes(props: &EpisodesProps) -> Html {
    let app = use_app();
    let sending = use_state_eq(|| None::<EpisodeId>);
    let failed = use_state_eq(|| None::<(EpisodeId, Verdict, ApiError)>);
    let on_verdict = use_callback(props.on_changed.clone(), {
        let (sending, failed) = (sending.setter(), failed.setter());
        move |(id, verdict): (EpisodeId, Verdict), on_changed| {
            let (sending, failed, on_changed) = (sending.clone(), failed.clone(), on_changed.clone());
            sending.set(Some(id.clone()));
            spawn_local(async move {
                match requests::anomalies::say(&id, verdict).await {
                    Ok(_) => failed.set(None),
                    Err(error) => failed.set(Some((id, verdict, error))),
                }
                sending.set(None);
                on_changed.emit(());
            });
        }
    });
    let failure = (*failed).clone().map(|(id, verdict, error)| {
        let on_retry = on_verdict.reform(move |()| (id.clone(), verdict));
        html! { <Failure {error} {on_retry} on_sign_in={app.sign_in.clone()} is_banner=true /> }
    });
    let listed = &props.anomalies.anomalies;
    let chosen = props.view.episode.as_ref();
    let elsewhere = chosen.filter(|id| !listed.iter().any(|anomaly| anomaly.id == **id));
    let card = |anomaly: &Anomaly| {
        html! {
            <EpisodeCard key={anomaly.id.to_string()} anomaly={anomaly.clone()} is_open={chosen == Some(&anomaly.id)}
                now_ms={clock::now_ms()} on_toggle={props.on_toggle.clone()}
                on_verdict={app.is_admin().then(|| on_verdict.clone())} is_sending={sending.as_ref() == Some(&anomaly.id)} />
        }
    };
    html! {
        <>
            { failure }
            if let Some(id) = elsewhere {
                <p class="hint" role="status">{ "The incident you look for is not in this range. " }
                    <Link to={AnalyticsView::of_episode(id, Some(id.opened_at.millis())).place()}>{ "Go to when it opened" }</Link></p>
            }
            if listed.is_empty() {
                <Empty title="No incident in this range"><p>{ "Detection found nothing unusual, or is still learning: a service speaks after half a day." }</p></Empty>
            } else {
                <ul class="episodes">{ for listed.iter().map(card) }</ul>
            }
            if props.anomalies.next_cursor.is_some() {
                <p class="hint">{ format!("The newest {} incidents. Choose a shorter range to see others.", listed.len()) }</p>
            }
        </>
    }
}
