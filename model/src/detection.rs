//! What detection says of a service: how ordinary its last minutes were, its incidents, and why.
//!
//! Surprise is -log10 of how probable something at least that odd is; a score is the largest surprise over its
//! threshold, so that 1 is the threshold.

mod channel;
mod detector;
mod episode;
mod explanation;
mod pattern;
mod pattern_id;
mod settings;
mod verdict;
mod window;

pub use channel::{CHANNELS, Channel, Evidence};
pub use detector::Detector;
pub use episode::{Episode, EpisodeId, EpisodeIdError};
pub use explanation::{ChangedTemplate, ChannelShare, Explanation};
pub use pattern::{Pattern, PatternCounts, PatternText};
pub use settings::DetectionSettings;
pub use verdict::Verdict;
pub use window::ServiceWindow;
