//! The HTTP edge: one file per resource, each with its `router()`.

mod aggregates;
mod alerts;
mod anomalies;
mod auditing;
mod backup;
mod body;
mod caller;
mod client_address;
mod cluster;
mod cluster_nodes;
mod counters;
mod dashboard;
mod dead_letters;
mod deletions;
mod detection_settings;
mod document;
mod error;
mod explore;
mod extract;
mod faults;
mod freshness;
mod gate;
mod health;
mod ingest;
mod intake;
mod logs;
mod membership;
mod metrics;
mod query;
mod reading;
mod retention;
mod signing_in;
mod tail;
mod token_uses;
mod tokens;
mod users;

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock};

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::{Extension, Router};
use insighthub_actors::ActorSystem;
use insighthub_actors::alerting::delivery::Outgoing;
use insighthub_actors::liveness::Liveness;
use insighthub_model::clock::Clock;
use insighthub_model::limits::IngestLimits;
use insighthub_model::retention::Retention;
use insighthub_storage::Store;
use insighthub_storage::cluster::Cluster;

pub use caller::AccessOptions;
pub use counters::Counters;
pub use error::ApiError;
pub use freshness::Freshness;
pub(crate) use health::waiting_for;
pub use signing_in::{Passwords, Provider};
pub use token_uses::TokenUses;

/// Everything a handler may use.
#[derive(Debug)]
pub struct Node {
    pub name: String,
    pub http_address: String,
    /// How many replicas of a partition there should be by the configuration: the number it names, or, where it names
    /// none, one on each of its nodes, up to the default.
    pub replicas_asked: u16,
    pub store: Arc<Store>,
    pub cluster: Arc<Cluster>,
    /// Who is alive; a node that is alone has nobody to ask.
    pub liveness: OnceLock<Liveness>,
    pub actors: ActorSystem,
    pub clock: Arc<dyn Clock>,
    /// The way out for alerts.
    pub outgoing: Arc<Outgoing>,
    pub limits: IngestLimits,
    /// `env`, `region`: what every record gets that lacks it.
    pub enrich: Vec<(String, String)>,
    pub access: AccessOptions,
    pub passwords: Passwords,
    /// Where people may sign in as well.
    pub oidc: Option<Provider>,
    pub freshness: Freshness,
    pub token_uses: TokenUses,
    pub counters: Counters,
    /// As of the last look.
    pub disk_free_bytes: AtomicU64,
    /// The log has been replayed once; from then on a little lag is normal.
    pub started: AtomicBool,
    /// The fault routes exist; only ever in the development profile.
    pub faults: bool,
}

impl Node {
    /// How long logs are kept, as far as this node has heard.
    pub(crate) fn retention(&self) -> Arc<Retention> {
        self.store.control.replica.read(|state| Arc::clone(&state.retention))
    }
}

pub type AppState = Arc<Node>;

/// All routes of a node.
pub fn router(node: AppState) -> Router {
    let mut routes = document::begin()
        .merge(document::of("Records in", ingest::router()))
        .merge(document::of("Dead letters", dead_letters::router()))
        .merge(document::of("Search", logs::router().merge(query::router()).merge(tail::router())))
        .merge(document::of("Exploring", explore::router().merge(aggregates::router())))
        .merge(document::of("Anomalies", anomalies::router()))
        .merge(document::of("Alerts", alerts::router()))
        .merge(document::of("Cluster", cluster::router().merge(membership::router())))
        .merge(document::of("Settings", retention::router().merge(detection_settings::router())))
        .merge(document::of("Deletion", deletions::router()))
        .merge(document::of("Backup", backup::router()))
        .merge(document::of("Sign-in", signing_in::router()))
        .merge(document::of("Users and tokens", tokens::router().merge(users::router())))
        .merge(document::of("Audit trail", auditing::router()))
        .merge(document::of("Health", health::router().merge(metrics::router())));
    if node.faults {
        routes = routes.merge(document::of("Faults", faults::router()));
    }
    let (routes, described) = routes.split_for_parts();
    let (document, gate) = document::finish(&described);
    let guarded = gate::Guarded { gate: Arc::new(gate), node: Arc::clone(&node) };
    routes
        .merge(dashboard::router())
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(Extension(document))
        .layer(middleware::from_fn_with_state(guarded, gate::admit))
        .layer(middleware::from_fn_with_state(Arc::clone(&node), caller::refuse_foreign_pages))
        .layer(middleware::from_fn(security_headers))
        .with_state(node)
}

/// Headers that keep a browser from doing with our pages what we did not mean.
async fn security_headers(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; frame-ancestors 'none'; base-uri 'none'",
        ),
    );
    if is_api {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
