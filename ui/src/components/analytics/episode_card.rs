//! One incident: what was odd, since when, and, when it is open, why.

use yew::{Callback, Html, Properties, classes, component, html};

use super::explanation::ExplanationTables;
use super::verdict::VerdictLine;
use crate::api::anomalies::{Anomaly, EpisodeId, Verdict};
use crate::components::link::Link;
use crate::components::moment::moment;
use crate::state::analytics::places;
use crate::state::format::{self, Precision};
use crate::state::range::Range;

#[derive(PartialEq, Properties)]
pub struct EpisodeCardProps {
    pub anomaly: Anomaly,
    pub is_open: bool,
    pub now_ms: f64,
    /// Opens it, or shuts it.
    pub on_toggle: Callback<EpisodeId>,
    /// `None`: who reads may not say what it was.
    pub on_verdict: Option<Callback<(EpisodeId, Verdict)>>,
    /// A verdict on it is under way.
    pub is_sending: bool,
}

#[component]
pub fn EpisodeCard(props: &EpisodeCardProps) -> Html {
    let anomaly = &props.anomaly;
    let episode = &anomaly.episode;
    let id = anomaly.id.clone();
    let onclick = props.on_toggle.reform(move |_| id.clone());
    let until_ms = episode.ended_at.map_or(props.now_ms as i64, |ended| ended.millis());
    let length = format::duration_ms((until_ms - episode.opened_at.millis()).max(0) as f64);
    let is_going_on = episode.ended_at.is_none();
    html! {
        <li class={classes!("episode", props.is_open.then_some("open"))}>
            <button type="button" class="episode-head" aria-expanded={props.is_open.to_string()} {onclick}>
                <span class="score" title="Score at the peak; 1 is the alarm">{ format!("{:.1}", episode.peak_score) }</span>
                <span class="episode-what"><b>{ &anomaly.service }</b>{ " " }<span>{ &anomaly.summary }</span></span>
                <span class="episode-when">
                    { moment(episode.opened_at.millis(), Precision::Minute) }
                    { if is_going_on { format!(", going on for {length}") } else { format!(", lasted {length}") } }
                </span>
                { verdict_badge(anomaly) }
                if is_going_on { <span class="badge critical">{ "Open" }</span> }
            </button>
            if props.is_open { { body(props, until_ms) } }
        </li>
    }
}

fn verdict_badge(anomaly: &Anomaly) -> Html {
    match anomaly.verdict.as_ref().map(|said| said.verdict) {
        Some(Verdict::Real) => html! { <span class="badge info">{ "Real" }</span> },
        Some(Verdict::FalseAlarm) => html! { <span class="badge">{ "False alarm" }</span> },
        None => Html::default(),
    }
}

fn body(props: &EpisodeCardProps, until_ms: i64) -> Html {
    /// Records shortly before are part of the story.
    const BEFORE_MS: i64 = 300_000;
    let (anomaly, episode) = (&props.anomaly, &props.anomaly.episode);
    let range = Range::between(episode.opened_at.millis() - BEFORE_MS, until_ms + 60_000);
    let sample = |(place, id): (usize, &insighthub_model::LogId)| {
        let to = places::record(&anomaly.service, range, &id.to_string());
        html! { <li><Link {to}><span>{ format!("Record {}", place + 1) }</span></Link></li> }
    };
    html! {
        <div class="episode-body">
            <dl class="episode-times">
                <div><dt>{ "Opened" }</dt><dd>{ moment(episode.opened_at.millis(), Precision::Second) }</dd></div>
                <div><dt>{ "Peak" }</dt><dd>{ moment(episode.peak_at.millis(), Precision::Second) }{ format!(", score {:.1}", episode.peak_score) }</dd></div>
                <div><dt>{ "Ended" }</dt><dd>{ episode.ended_at.map_or_else(|| html! { "not yet" }, |ended| moment(ended.millis(), Precision::Second)) }</dd></div>
                if let Some(rank) = anomaly.rank {
                    <div><dt>{ "Real, by verdicts so far" }</dt><dd>{ format::percent(rank) }</dd></div>
                }
            </dl>
            <ExplanationTables explanation={episode.explanation.clone()} service={anomaly.service.clone()} {range} />
            <div class="episode-samples">
                <Link to={places::of_service(&anomaly.service, range)}>{ "All logs of the incident" }</Link>
                if !anomaly.log_ids.is_empty() {
                    <span class="hint">{ "The oddest:" }</span><ul>{ for anomaly.log_ids.iter().enumerate().map(sample) }</ul>
                }
            </div>
            <VerdictLine id={anomaly.id.clone()} said={anomaly.verdict.clone()} on_verdict={props.on_verdict.clone()}
                is_sending={props.is_sending} />
        </div>
    }
}
