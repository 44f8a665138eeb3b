//! Alerts: what rules, channels, silences and incidents are, and the pure decisions about them.
//!
//! Everything here is kept in the control state of the cluster and shown by the API, so that types have one form for both.
//! Enums are tagged from outside (`{"latency": {...}}`): the disk form cannot look ahead.

mod breaker;
mod channel;
mod condition;
mod defaults;
mod evidence;
mod incident;
mod machine;
mod names;
mod normal;
mod notice;
mod rule;
mod silence;
mod template;
mod write_only;

pub use breaker::{Breaker, BreakerState, Failure};
pub use channel::{Channel, ChannelHealth, ChannelKind, Email, Security, Slack, Webhook};
pub use condition::{
    AnomalyCount, Condition, ErrorRate, Latency, NewPattern, NoData, QueryValue, Ratio, Relation,
};
pub use defaults::first_rules;
pub use evidence::Evidence;
pub use incident::{Delivery, Incident, IncidentState, Remark, Transition, TransitionKind};
pub use machine::{Phase, Seen, Step, Timing, Tracker, next_step};
pub use names::{Problem, check_name};
pub use normal::{Normal, normal_of};
pub use notice::{Notice, heading_of, minutes_and_hour, shown_number};
pub use rule::{Rule, Severity};
pub use silence::{Matches, Recurrence, Silence, Subject};
pub use template::render;
pub use write_only::WriteOnly;
