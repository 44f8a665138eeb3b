//! `/api/alerts/...`, as the node answers it.

pub use insighthub_model::alerts::{
    AnomalyCount, BreakerState, Channel, ChannelHealth, ChannelKind, Condition, Delivery, ErrorRate,
    Evidence, Incident, IncidentState, Latency, Matches, NewPattern, NoData, QueryValue, Ratio, Recurrence,
    Relation, Rule, Security, Severity, Silence, Transition, TransitionKind, check_name,
};
pub use insighthub_model::api::alerts::{
    Channels, Deliveries, DeliveryState, Incidents, ListedChannel, ListedDelivery, ListedRule, ListedSilence,
    Preview, PreviewFiring, Rules, Silences, Tried,
};
