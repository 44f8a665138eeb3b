//! The parts of Home, from the sentence down to what changed.

use std::rc::Rc;

use yew::{Children, Html, Properties, component, html};

use super::charts::Charts;
use super::questions::{Overview, use_overview};
use crate::api::logs::{Level, Service as Sender};
use crate::browser::clock;
use crate::components::home::changes::Changes;
use crate::components::home::incidents::OpenIncidents;
use crate::components::home::services_table::ServicesTable;
use crate::components::home::status_line::StatusLine;
use crate::components::home::tiles::Tiles;
use crate::components::link::Link;
use crate::components::moment::moment;
use crate::components::notice::Empty;
use crate::components::states::{shown, skeleton_lines};
use crate::hooks::memo::use_memo;
use crate::state::analytics::places;
use crate::state::filter::Filter;
use crate::state::format::Precision;
use crate::state::home::figures::{Around, Service, services, totals};
use crate::state::home::sentence::{cluster_fault, sentence};
use crate::state::page::{Page, Place};
use crate::state::range::Range;

/// Around the last record, so that what led to it is seen.
const HOUR_MS: i64 = 3_600_000;

#[derive(PartialEq, Properties)]
pub(super) struct BodyProps {
    pub(super) range: Range,
    pub(super) senders: Option<Rc<Vec<Sender>>>,
    /// The choice of the range.
    pub(super) children: Children,
}

#[component]
pub(super) fn Body(props: &BodyProps) -> Html {
    let range = props.range;
    let overview = use_overview(range);
    let known = (
        overview.figures.value().cloned(),
        overview.usual.value().cloned(),
        overview.episodes.value().cloned(),
        overview.alerts.value().cloned(),
        props.senders.clone(),
    );
    let services: Rc<Vec<Service>> = use_memo(known, |(figures, usual, episodes, alerts, senders)| {
        let around = Around {
            usual: usual.as_deref(),
            episodes: episodes.as_ref().map(|known| known.anomalies.as_slice()).unwrap_or_default(),
            incidents: alerts.as_ref().map(|known| known.incidents.as_slice()).unwrap_or_default(),
            senders: senders.as_ref().map(|known| known.as_slice()).unwrap_or_default(),
        };
        figures.as_ref().map(|figures| services(figures, around)).unwrap_or_default()
    });
    let cluster = overview.cluster.value().map(|cluster| (**cluster).clone());
    let firing = overview.alerts.value().map_or(0, |known| known.incidents.len());
    let line = overview.figures.value().map(|_| html! {
        <StatusLine sentence={sentence(&services, firing)} cluster_fault={cluster.as_ref().and_then(cluster_fault)}
            is_cluster_known={cluster.is_some()} is_old={overview.figures.answer.is_stale()} {range} />
    });
    html! {
        <>
            <div class="home-top">{ line }<div class="spacer"></div>{ for props.children.iter() }</div>
            { tiles(&overview, &services, range) }
            { shown(&overview.figures, skeleton_lines(8), |figures| html! {
                <>
                    { incomplete(figures.totals.value.coverage) }
                    { table(&services, props) }
                </>
            }) }
            <div class="home-pair">
                { incidents(&overview) }
                <section class="card" aria-label="What changed">
                    <div class="card-head"><h2>{ "What changed in the last hour" }</h2></div>
                    { shown(&overview.changes, skeleton_lines(5), |difference| html! { <Changes difference={(**difference).clone()} /> }) }
                </section>
            </div>
            { overview.figures.value().map(|figures| html! {
                <Charts figures={figures.clone()} services={services.clone()} {range} />
            }) }
        </>
    }
}

fn table(services: &Rc<Vec<Service>>, props: &BodyProps) -> Html {
    if !services.is_empty() {
        return html! { <ServicesTable services={(**services).clone()} range={props.range} /> };
    }
    let senders = props.senders.iter().flat_map(|senders| senders.iter());
    let last = senders.max_by_key(|sender| sender.last_seen).map(|sender| {
        let around = Range::between(sender.last_seen.millis() - HOUR_MS, sender.last_seen.millis() + HOUR_MS);
        html! {
            <p>{ "The last record is of " }<Link to={places::of_service(&sender.service, around)}>{ &sender.service }</Link>
                { ", " }{ moment(sender.last_seen.millis(), Precision::Minute) }{ "." }</p>
        }
    });
    html! {
        <Empty title="No service has logged in this time">
            { last }
            <p>{ "If something should be sending now, look for what was refused on the page " }
                <Link to={Place::of(Page::DeadLetters)}>{ "Dead letters" }</Link>{ ", or at the sender's own log." }</p>
        </Empty>
    }
}

fn tiles(overview: &Overview, services: &[Service], range: Range) -> Html {
    let totals = overview.figures.value().map(|figures| totals(services, figures.totals.grid));
    let counts = overview.episodes.value().zip(overview.alerts.value());
    let incidents = counts.map(|(episodes, alerts)| (episodes.anomalies.len(), alerts.incidents.len()));
    let errors =
        places::records(&Filter { levels: vec![Level::Error, Level::Fatal], ..Filter::default() }, range);
    let anomalies = places::records(&Filter { is_anomaly: true, ..Filter::default() }, range);
    let cluster = overview.cluster.value().map(|cluster| (**cluster).clone());
    html! { <Tiles {totals} {cluster} {incidents} {errors} {anomalies} /> }
}

fn incidents(overview: &Overview) -> Html {
    html! {
        <section class="card" aria-label="Open incidents">
            <div class="card-head"><h2>{ "Open incidents" }</h2></div>
            { shown(&overview.episodes, skeleton_lines(4), |episodes| shown(&overview.alerts, skeleton_lines(4), |alerts| html! {
                <OpenIncidents episodes={episodes.anomalies.clone()} alerts={alerts.incidents.clone()} now_ms={clock::now_ms()} />
            })) }
        </section>
    }
}

/// What figures rest on, where that is not everything.
fn incomplete(coverage: crate::api::aggregates::Coverage) -> Html {
    if coverage.complete {
        return Html::default();
    }
    html! {
        <p class="banner stale" role="status">{ format!(
            "{} of {} partitions answered: figures are too low.", coverage.partitions_answered, coverage.partitions
        ) }</p>
    }
}
