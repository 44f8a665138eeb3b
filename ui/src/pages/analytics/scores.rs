//! The anomaly score of each service over time, with incidents as marked stretches.

use std::collections::BTreeMap;
use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use super::course::{chart, over};
use super::questions::{SCORES_OF_ALL_SECS, use_windows};
use crate::api::anomalies::{Anomaly, MinutesByService};
use crate::browser::clock;
use crate::components::chart::series::{Lines, Mark, TONES, Threshold, Unit};
use crate::components::states::{shown, skeleton_chart};
use crate::hooks::memo::use_memo;
use crate::state::analytics::grid::OfGrid;
use crate::state::analytics::series::{Values, largest, scores, tone};
use crate::state::analytics::view::AnalyticsView;
use crate::state::range::Range;

#[derive(PartialEq, Properties)]
pub(super) struct ScoresProps {
    pub(super) view: AnalyticsView,
    pub(super) services: Vec<String>,
    pub(super) episodes: Vec<Anomaly>,
    pub(super) on_zoom: Callback<(i64, i64)>,
}

#[component]
pub(super) fn Scores(props: &ScoresProps) -> Html {
    let view = &props.view;
    let is_one = !view.service.is_empty();
    let services = if is_one { vec![view.service.clone()] } else { props.services.clone() };
    let now_ms = clock::now_ms();
    let span = view.range.at(now_ms);
    let is_cut = !is_one && span.length_ms() > SCORES_OF_ALL_SECS as i64 * 1_000;
    let range = match (is_cut, view.range) {
        (false, range) => range,
        (true, Range::Last(_)) => Range::Last(SCORES_OF_ALL_SECS),
        (true, Range::Between { to_ms, .. }) => {
            Range::between(to_ms - SCORES_OF_ALL_SECS as i64 * 1_000, to_ms)
        }
    };
    let is_nobody_known = services.is_empty();
    let asked = use_windows(services, range);
    let known = (asked.value().cloned(), props.episodes.clone(), view.clone(), props.services.clone());
    let lines = use_memo(known, |(known, episodes, view, services)| {
        known.as_ref().map(|known| {
            let marks = episodes.iter().map(|episode| mark(episode, view, services)).collect();
            Rc::new(Lines { marks, ..score_lines(known, services) })
        })
    });
    html! {
        <section class="card" aria-label="Anomaly score">
            <div class="card-head wraps"><h2>{ "Anomaly score" }</h2>
                <span class="hint">{ "1 is the alarm; incidents are marked at the foot." }</span></div>
            if is_nobody_known {
                <p class="hint" role="status">{ "No service is known so far." }</p>
            } else {
                { shown(&asked, skeleton_chart(), |_| (*lines).clone().map_or_else(Html::default, |lines| chart(lines, "Anomaly score", &props.on_zoom))) }
            }
            if is_cut {
                <p class="hint">{ "The last 24 hours of the range: scores come minute by minute. Choose a service to see more." }</p>
            }
        </section>
    }
}

fn score_lines(known: &OfGrid<MinutesByService>, services: &[String]) -> Lines {
    let found = known.value.iter().map(|(name, minutes)| (name.clone(), scores(minutes, known.grid)));
    let found: BTreeMap<String, Values> = found.collect();
    Lines {
        unit: Unit::Score,
        series: largest(found, services, TONES),
        threshold: Some(Threshold { name: "alarm".to_owned(), value: 1.0 }),
        ..over(known.grid)
    }
}

fn mark(anomaly: &Anomaly, view: &AnalyticsView, services: &[String]) -> Mark {
    let episode = &anomaly.episode;
    Mark {
        from_ms: episode.opened_at.millis(),
        to_ms: episode.ended_at.map_or(i64::MAX, |ended| ended.millis()),
        name: format!("{}: {}", anomaly.service, anomaly.summary),
        tone: tone(services, &anomaly.service),
        is_chosen: view.episode.as_ref() == Some(&anomaly.id),
    }
}
