//! Alerts: what rules see is put into the control state, and what that says is to be told is told.
//!
//! ```text
//! look (evaluator.rs, on the node that leads the control group)
//!   ─► questions to all partitions ─► judgements ─► what changes anything ─► one command: AlertCommand::Observe
//! apply (storage/src/control/alerts) ─► transitions, incidents, rows of the outbox
//! drain (notifier.rs, there as well) ─► delivery/ ─► what became of it: AlertCommand::Delivered
//! ```
//! Both actors hold nothing that matters: whoever leads next goes on from the committed state.

mod answers;
mod cause;
pub mod delivery;
mod episodes;
mod evaluator;
mod judging;
mod looking;
mod new_patterns;
mod notifier;
mod preview;
mod questions;
pub mod rehearsal;
mod silence_of_groups;

pub(crate) use evaluator::{Evaluator, EvaluatorArguments, EvaluatorMessage};
pub(crate) use notifier::{Notifier, NotifierArguments, NotifierMessage};
pub use preview::{PREVIEW_LOOKS_MAX, PreviewError, preview};

use std::sync::Arc;

use insighthub_model::clock::Clock;
use insighthub_storage::cluster::Cluster;

use delivery::Outgoing;

/// What both actors are started with.
#[derive(Debug, Clone)]
pub struct AlertingOptions {
    pub cluster: Arc<Cluster>,
    pub clock: Arc<dyn Clock>,
    /// The way out of this node.
    pub outgoing: Arc<Outgoing>,
}
