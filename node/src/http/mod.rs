//! The HTTP edge: one file per resource, each with its `router()`.

mod accounting;
mod aggregates;
mod alerts;
mod anomalies;
mod auditing;
mod backup;
mod body;
mod caller;
mod client_address;
mod clients;
mod cluster;
mod cluster_nodes;
mod counters;
mod dashboard;
mod dead_letters;
mod deletions;
mod detection_settings;
mod document;
mod edge;
mod error;
mod explore;
mod extract;
mod faults;
mod foreign_pages;
mod freshness;
mod gate;
mod health;
mod ingest;
mod insisting;
mod intake;
mod logs;
mod loki;
mod membership;
mod metrics;
mod otlp;
mod pace;
mod peer_pages;
mod places;
mod query;
mod reading;
mod retention;
mod signing_in;
mod tail;
mod token_uses;
mod tokens;
mod users;
mod views;

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock};

use axum::http::Method;
use axum::{Extension, Router, middleware};
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
pub use counters::{Counters, SyslogCounters};
pub use edge::Edge;
pub use error::ApiError;
pub use freshness::Freshness;
pub(crate) use health::waiting_for;
pub(crate) use insisting::insist;
pub(crate) use intake::{Arrival, Intake, KnownBy};
pub use metrics::RequestCounts;
pub use places::Places;
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
    pub edge: Edge,
    /// Of live tails.
    pub places: Arc<Places>,
    pub token_uses: TokenUses,
    pub counters: Counters,
    pub requests: RequestCounts,
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
        .merge(document::of("Records in", ingest::router().merge(otlp::router())))
        .merge(document::of("Records in from other clients", clients::router()))
        .merge(document::of("Dead letters", dead_letters::router().merge(accounting::router())))
        .merge(document::of("Search", logs::router().merge(query::router()).merge(tail::router())))
        .merge(document::of("Exploring", explore::router().merge(aggregates::router())))
        .merge(document::of("Loki", loki::router()))
        .merge(document::of("Anomalies", anomalies::router()))
        .merge(document::of("Alerts", alerts::router()))
        .merge(document::of("Views", views::router()))
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
    let routes = routes.merge(dashboard::router()).layer(Extension(document));
    behind_the_gate(routes, gate, node)
}

/// The routes of an address that takes logs of OpenTelemetry and nothing else.
pub fn otlp_router(node: AppState) -> Router {
    let (routes, described) = otlp::router().split_for_parts();
    let (_, gate) = document::finish(&described);
    behind_the_gate(routes.fallback(error::not_here), gate, node)
}

/// What every request passes before it comes to a route.
fn behind_the_gate(routes: Router<AppState>, mut gate: gate::Gate, node: AppState) -> Router {
    // No part of the API's document: it is not spoken like the rest.
    gate.put(Method::POST, otlp::grpc::PATH.to_owned(), gate::Access::SendRecords);
    let guarded = gate::Guarded { gate: Arc::new(gate), node: Arc::clone(&node) };
    let routes = routes
        .merge(otlp::grpc::router())
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(middleware::from_fn(clients::greet))
        .layer(middleware::from_fn_with_state(guarded, gate::admit))
        .layer(CatchPanicLayer::custom(edge::answer_for_panic))
        .layer(middleware::from_fn(clients::mark_answers))
        .layer(middleware::from_fn(pace::keep_pace))
        .layer(middleware::from_fn_with_state(Arc::clone(&node), foreign_pages::refuse))
        .layer(middleware::from_fn(otlp::in_words_of_otlp))
        .layer(middleware::from_fn(clients::in_words_of_splunk));
    let routes = match node.edge.cors() {
        Some(cors) => routes.layer(cors),
        None => routes,
    };
    routes
        .layer(middleware::from_fn_with_state(Arc::clone(&node), peer_pages::let_in))
        .layer(middleware::from_fn_with_state(Arc::clone(&node), edge::security_headers))
        .layer(middleware::from_fn_with_state(Arc::clone(&node), metrics::count))
        .with_state(node)
}
