//! What detection says: scores over time, and incidents with their reasons.

use yew::{Callback, Html, Properties, component, html};

use super::episodes::Episodes;
use super::questions::use_episodes;
use super::scores::Scores;
use crate::api::anomalies::EpisodeId;
use crate::components::states::{shown, skeleton_lines};
use crate::hooks::memo::use_callback;
use crate::state::analytics::view::AnalyticsView;

#[derive(PartialEq, Properties)]
pub(super) struct JudgedProps {
    pub(super) view: AnalyticsView,
    pub(super) services: Vec<String>,
    pub(super) on_view: Callback<AnalyticsView>,
    pub(super) on_zoom: Callback<(i64, i64)>,
}

#[component]
pub(super) fn Judged(props: &JudgedProps) -> Html {
    let view = &props.view;
    let asked = use_episodes(&view.service, view.range);
    let on_toggle = use_callback((view.clone(), props.on_view.clone()), |id: EpisodeId, (view, on_view)| {
        let episode = (view.episode.as_ref() != Some(&id)).then_some(id);
        on_view.emit(AnalyticsView { episode, ..view.clone() });
    });
    let episodes = asked.value().map(|known| known.anomalies.clone()).unwrap_or_default();
    html! {
        <>
            <Scores view={view.clone()} services={props.services.clone()} {episodes} on_zoom={props.on_zoom.clone()} />
            <section class="card" aria-label="Incidents">
                <div class="card-head"><h2>{ "Incidents" }</h2></div>
                { shown(&asked, skeleton_lines(4), |known| html! {
                    <Episodes anomalies={known.clone()} view={view.clone()} {on_toggle} on_changed={asked.again.clone()} />
                }) }
            </section>
        </>
    }
}
