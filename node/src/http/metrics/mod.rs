//! `GET /metrics`: what a node counts and measures, in the text format of Prometheus. `docs/metrics.md` says what to make of it.
//!
//! Everything is read when it is asked for, from counts that are kept by request, batch or actor: no record costs anything
//! here. Labels are of closed lists, or of what an operator has made (nodes, partitions, channels).

mod alerts;
mod cluster;
mod page;
mod process;
mod requests;
mod storage;
mod syslog;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::page::{Kind, Page};
pub use self::requests::RequestCounts;
pub(super) use self::requests::{Refused, count};
use super::{AppState, Counters, Node};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show))
}

/// What the node counts, in the Prometheus text format.
#[utoipa::path(
    get, path = "/metrics",
    responses((status = 200, body = String, content_type = "text/plain")),
    extensions(("x-insighthub-access" = json!("read_metrics"))),
)]
async fn show(State(node): State<AppState>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], render(&node))
}

fn render(node: &AppState) -> String {
    let mut page = Page::default();
    ingest(node, &mut page);
    syslog::write(&node.counters.syslog, &mut page);
    node.requests.write(&mut page);
    readers(node, &mut page);
    storage::write(node, &mut page);
    cluster::write(node, &mut page);
    actors(node, &mut page);
    alerts::write(node, &mut page);
    process::write(node, &mut page);
    page.into_text()
}

fn ingest(node: &Node, page: &mut Page) {
    let counters = &node.counters;
    let mut count = |name, help, counter| page.counter(name, help, Counters::get(counter));
    count("insighthub_records_accepted_total", "Records stored.", &counters.accepted);
    count(
        "insighthub_records_rejected_total",
        "Records refused one by one; each is a dead letter.",
        &counters.rejected,
    );
    count(
        "insighthub_records_duplicate_total",
        "Records that were stored before, acknowledged again.",
        &counters.duplicates,
    );
    count(
        "insighthub_requests_refused_total",
        "Ingest requests answered 429 or 503.",
        &counters.refused_requests,
    );
    count("insighthub_ingest_bytes_total", "Bytes of ingest bodies as sent.", &counters.bytes);
    let admission = node.actors.admission.status();
    let (in_flight, most) = (admission.in_flight_bytes as f64, admission.in_flight_bytes_max as f64);
    page.gauge("insighthub_in_flight_bytes", "Bytes between edge and acknowledgement.", in_flight);
    page.gauge("insighthub_in_flight_limit_bytes", "Beyond so many requests are answered 429.", most);
    let flag = |is_so: bool| f64::from(u8::from(is_so));
    let help = "1 while the disk is too full to store.";
    page.gauge("insighthub_disk_full", help, flag(admission.disk_full));
    page.gauge("insighthub_stopping", "1 while the node is stopping.", flag(admission.stopping));
}

fn readers(node: &Node, page: &mut Page) {
    page.counter("insighthub_queries_total", "Searches answered.", Counters::get(&node.counters.queries));
    let feed = &node.actors.feed;
    page.gauge("insighthub_tail_sessions", "Followers of the live tail.", feed.sessions() as f64);
    let help = "Records left out of live tails because a follower was slower than they came.";
    page.counter("insighthub_tail_records_skipped_total", help, feed.skipped());
}

fn actors(node: &Node, page: &mut Page) {
    #[derive(Default)]
    struct OfKind {
        alive: f64,
        waiting: f64,
        restarts: f64,
    }
    let mut kinds: BTreeMap<&str, OfKind> = BTreeMap::new();
    for actor in node.actors.roster.status() {
        let kind = kinds.entry(actor.kind).or_default();
        kind.alive += 1.0;
        kind.waiting += actor.queue_depth as f64;
        kind.restarts += actor.restarts as f64;
    }
    type Family = (Kind, &'static str, &'static str, fn(&OfKind) -> f64);
    let families: [Family; 3] = [
        (Kind::Gauge, "insighthub_actors", "Actors alive.", |of| of.alive),
        (Kind::Gauge, "insighthub_actor_queue_depth", "Messages waiting.", |of| of.waiting),
        (Kind::Counter, "insighthub_actor_restarts_total", "Restarts of actors alive now.", |of| of.restarts),
    ];
    for (kind, name, help, value) in families {
        let mut family = page.family(kind, name, help);
        kinds.iter().for_each(|(actor, of)| family.sample(&[("kind", actor)], value(of)));
    }
}
