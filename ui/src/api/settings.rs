//! `/api/settings/retention` and `/api/settings/detection`.

pub use insighthub_model::detection::DetectionSettings;
pub use insighthub_model::retention::Retention;
