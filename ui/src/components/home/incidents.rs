//! What is wrong now: open incidents of detection, and alerts that fire.

use yew::{Html, Properties, classes, component, html};

use crate::api::anomalies::{Anomaly, Incident, Severity};
use crate::components::link::Link;
use crate::components::moment::ago;
use crate::components::notice::Empty;
use crate::state::alerts::words;
use crate::state::analytics::places;
use crate::state::analytics::view::AnalyticsView;
use crate::state::filter::Filter;
use crate::state::page::{Page, Place, View};
use crate::state::range::Range;

#[derive(PartialEq, Properties)]
pub struct OpenIncidentsProps {
    pub episodes: Vec<Anomaly>,
    pub alerts: Vec<Incident>,
    pub now_ms: f64,
}

#[component]
pub fn OpenIncidents(props: &OpenIncidentsProps) -> Html {
    let mut episodes: Vec<&Anomaly> = props.episodes.iter().collect();
    episodes.sort_by(|a, b| b.episode.peak_score.total_cmp(&a.episode.peak_score));
    if episodes.is_empty() && props.alerts.is_empty() {
        return html! {
            <Empty title="No open incident">
                <p>{ "Nothing unusual is going on, and no alert fires." }</p>
            </Empty>
        };
    }
    html! {
        <ul class="incidents">
            { for episodes.into_iter().map(|anomaly| episode(anomaly, props.now_ms)) }
            { for props.alerts.iter().map(|incident| alert(incident, props.now_ms)) }
        </ul>
    }
}

fn episode(anomaly: &Anomaly, now_ms: f64) -> Html {
    let to = AnalyticsView::of_episode(&anomaly.id, None).place();
    let records = places::of_service(&anomaly.service, Range::default());
    let opened_ms = anomaly.episode.opened_at.millis();
    html! {
        <li key={anomaly.id.to_string()}>
            <span class="badge unusual">{ "Unusual" }</span>
            <div>
                <p><Link to={to.clone()}><b>{ &anomaly.service }</b></Link>{ " " }<span class="summary">{ &anomaly.summary }</span></p>
                <p class="hint">
                    { "opened " }{ ago(opened_ms, now_ms) }{ format!(", score {:.1}, alarm from 1", anomaly.episode.peak_score) }
                    { " · " }<Link {to}>{ "Why" }</Link>{ " · " }<Link to={records}>{ "Logs" }</Link>
                </p>
            </div>
        </li>
    }
}

fn alert(incident: &Incident, now_ms: f64) -> Html {
    let (class, word) = match incident.severity {
        Severity::Info => ("info", "Info"),
        Severity::Warning => ("warning", "Warning"),
        Severity::Critical => ("critical", "Critical"),
    };
    let group: Vec<&str> = incident.group.iter().map(|(_, value)| value.as_str()).collect();
    let evidence = &incident.evidence;
    let filter = Filter { text: evidence.query.clone(), ..Filter::default() };
    let records = places::records(&filter, Range::between(evidence.from.millis(), evidence.to.millis()));
    html! {
        <li key={format!("alert-{}", incident.id)}>
            <span class={classes!("badge", class)}>{ word }</span>
            <div>
                <p><Link to={Place::of(Page::Alerts)}><b>{ &incident.title }</b></Link>{ " " }
                    <span class="summary">{ group.join(", ") }</span></p>
                <p class="summary">{ &evidence.measure }{ ": " }{ words::figure(evidence.observed) }{ ", " }{ &evidence.because }</p>
                <p class="hint">
                    { "alert, fired " }{ ago(incident.opened_at.millis(), now_ms) }
                    if let Some(by) = &incident.acknowledged { { format!(", {} is on it", by.by) } }
                    { " · " }<Link to={records}>{ "Logs" }</Link>
                </p>
            </div>
        </li>
    }
}
