//! The HTTP edge: one file per resource, each with its `router()`.

mod aggregates;
mod alerts;
mod anomalies;
mod auditing;
mod backup;
mod body;
mod caller;
mod cluster;
mod cluster_nodes;
mod counters;
mod dashboard;
mod dead_letters;
mod deletions;
mod detection_settings;
mod edge;
mod error;
mod explore;
mod faults;
mod health;
mod ingest;
mod intake;
mod login;
mod logs;
mod membership;
mod metrics;
mod pace;
mod places;
mod query;
mod reading;
mod retention;
mod tail;
mod token_uses;
mod tokens;
mod users;

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::middleware;
use insighthub_actors::ActorSystem;
use insighthub_actors::alerting::delivery::Outgoing;
use insighthub_actors::liveness::Liveness;
use insighthub_model::clock::Clock;
use insighthub_model::limits::IngestLimits;
use insighthub_model::retention::Retention;
use insighthub_storage::Store;
use insighthub_storage::cluster::Cluster;
use tower_http::catch_panic::CatchPanicLayer;

pub use caller::AccessOptions;
pub use counters::Counters;
pub use edge::Edge;
pub use error::ApiError;
pub(crate) use health::waiting_for;
pub use login::LoginThrottle;
pub use places::Places;
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
    pub edge: Edge,
    /// Of live tails.
    pub places: Arc<Places>,
    pub logins: LoginThrottle,
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
    let mut router = Router::new()
        .merge(ingest::router())
        .merge(logs::router())
        .merge(query::router())
        .merge(explore::router())
        .merge(tail::router())
        .merge(aggregates::router())
        .merge(alerts::router())
        .merge(anomalies::router())
        .merge(dead_letters::router())
        .merge(cluster::router())
        .merge(membership::router())
        .merge(retention::router())
        .merge(deletions::router())
        .merge(detection_settings::router())
        .merge(backup::router())
        .merge(login::router())
        .merge(tokens::router())
        .merge(users::router())
        .merge(auditing::router())
        .merge(health::router())
        .merge(metrics::router())
        .merge(dashboard::router());
    if node.faults {
        router = router.merge(faults::router());
    }
    router
        .layer(CatchPanicLayer::custom(edge::answer_for_panic))
        .layer(middleware::from_fn(pace::keep_pace))
        .layer(middleware::from_fn_with_state(Arc::clone(&node), caller::refuse_foreign_pages))
        .layer(middleware::from_fn_with_state(node.edge.clone(), edge::security_headers))
        .with_state(node)
}
