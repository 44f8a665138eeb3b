//! `GET /metrics`: the Prometheus text format, version 0.0.4.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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

/// Writes one family: its help, its type, its samples.
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str, samples: &[(String, f64)]) {
        self.0.push_str(&format!("# HELP insighthub_{name} {help}\n# TYPE insighthub_{name} {kind}\n"));
        for (labels, value) in samples {
            self.0.push_str(&format!("insighthub_{name}{labels} {value}\n"));
        }
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help, &[(String::new(), value)]);
    }
}

fn render(node: &Node) -> String {
    let mut page = Page(String::new());
    let counters = &node.counters;
    let count = |counter| Counters::get(counter) as f64;
    page.one("records_accepted_total", "counter", "Records stored.", count(&counters.accepted));
    page.one("records_rejected_total", "counter", "Records refused.", count(&counters.rejected));
    page.one(
        "records_duplicate_total",
        "counter",
        "Records of repeated batches.",
        count(&counters.duplicates),
    );
    let refused = count(&counters.refused_requests);
    page.one("requests_refused_total", "counter", "Ingest requests answered 429 or 503.", refused);
    page.one("ingest_bytes_total", "counter", "Bytes of ingest bodies as sent.", count(&counters.bytes));
    page.one("queries_total", "counter", "Searches answered.", count(&counters.queries));
    let admission = node.actors.admission.status();
    let in_flight = admission.in_flight_bytes as f64;
    page.one("in_flight_bytes", "gauge", "Bytes between edge and acknowledgement.", in_flight);
    page.one(
        "disk_full",
        "gauge",
        "1 while the disk is too full to store.",
        f64::from(u8::from(admission.disk_full)),
    );
    let followers = node.actors.feed.sessions() as f64;
    page.one("tail_sessions", "gauge", "Followers of the live tail.", followers);
    let log = node.store.wal().stats();
    page.one("log_syncs_total", "counter", "Synced writes of the write-ahead log.", log.syncs as f64);
    page.one("log_bytes_total", "counter", "Bytes written to the write-ahead log.", log.bytes_written as f64);
    let sync_secs = log.sync_micros_total as f64 / 1e6;
    page.one("log_sync_seconds_total", "counter", "Time spent in synced writes.", sync_secs);
    partitions(node, &mut page);
    actors(node, &mut page);
    page.0
}

fn partitions(node: &Node, page: &mut Page) {
    let status: Vec<_> = node
        .store
        .partitions()
        .into_iter()
        .map(|group| {
            let labels = format!("{{partition=\"{}\"}}", group.replica.partition());
            (labels, group.replica.status(), group.group.status())
        })
        .collect();
    let samples = |value: fn(&insighthub_storage::partition::PartitionStatus) -> f64| -> Vec<(String, f64)> {
        status.iter().map(|(labels, state, _)| (labels.clone(), value(state))).collect()
    };
    page.family("partition_records", "gauge", "Records stored.", &samples(|state| state.next_offset as f64));
    page.family(
        "partition_head_bytes",
        "gauge",
        "Unsealed bytes in memory.",
        &samples(|state| state.head_bytes as f64),
    );
    page.family("partition_blocks", "gauge", "Block files.", &samples(|state| state.blocks as f64));
    page.family(
        "partition_block_bytes",
        "gauge",
        "Bytes of block files.",
        &samples(|state| state.block_bytes as f64),
    );
    let leads: Vec<_> =
        status.iter().map(|(labels, _, raft)| (labels.clone(), f64::from(u8::from(raft.leads)))).collect();
    page.family("partition_leads", "gauge", "1 where this node leads.", &leads);
}

fn actors(node: &Node, page: &mut Page) {
    let mut kinds: std::collections::BTreeMap<&str, (f64, f64, f64)> = std::collections::BTreeMap::new();
    for actor in node.actors.roster.status() {
        let kind = kinds.entry(actor.kind).or_default();
        kind.0 += 1.0;
        kind.1 += actor.queue_depth as f64;
        kind.2 += actor.restarts as f64;
    }
    let samples = |value: fn(&(f64, f64, f64)) -> f64| -> Vec<(String, f64)> {
        kinds.iter().map(|(kind, figures)| (format!("{{kind=\"{kind}\"}}"), value(figures))).collect()
    };
    page.family("actors", "gauge", "Actors alive.", &samples(|figures| figures.0));
    page.family("actor_queue_depth", "gauge", "Messages waiting.", &samples(|figures| figures.1));
    page.family(
        "actor_restarts_total",
        "counter",
        "Restarts of actors alive now.",
        &samples(|figures| figures.2),
    );
}
