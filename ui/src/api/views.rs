//! `/api/views`: views that were saved for everybody.

pub use insighthub_model::api::views::{ListedView, View, Views};
