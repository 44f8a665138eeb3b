//! `/api/anomalies`, and the other answers that Home and Analytics are made of.

pub use insighthub_model::alerts::{Incident, Severity};
pub use insighthub_model::api::alerts::Incidents;
pub use insighthub_model::api::anomalies::{Anomalies, Anomaly, SaidVerdict, Windows};
pub use insighthub_model::api::heatmap::Heatmap;
pub use insighthub_model::api::patterns::{Change, PatternChange, PatternDifference};
pub use insighthub_model::detection::{
    ChangedTemplate, Channel, ChannelShare, EpisodeId, Evidence, ServiceWindow, Verdict,
};

/// The minutes of each of several services.
pub type MinutesByService = Vec<(String, Vec<ServiceWindow>)>;
