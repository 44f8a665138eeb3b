//! Why a window is an anomaly, for a person on call.

use serde::{Deserialize, Serialize};

use crate::template::Miner;
use crate::window::{CHANNELS, Channel, Evidence, Window, WindowDetector};

const CHANNELS_SHOWN: usize = 3;
const TEMPLATES_SHOWN: usize = 5;
const RECORDS_SHOWN: usize = 5;

/// What makes an episode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The channels that spoke loudest, loudest first.
    pub channels: Vec<ChannelShare>,
    /// The templates that grew most over the last quarter of an hour.
    pub templates: Vec<ChangedTemplate>,
    /// Ids of the oddest records.
    pub records: Vec<u64>,
    /// What the forest made of it: share by channel, where the forest spoke.
    pub forest: Vec<(Channel, f32)>,
    /// Records a minute: least and most that are usual at this time.
    pub rate_band: (f64, f64),
    /// Milliseconds that are usual at this time.
    pub latency_due_ms: f64,
}

/// A channel's part in an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelShare {
    pub channel: Channel,
    pub evidence: Evidence,
    /// Of all channels' evidence over their thresholds.
    pub share: f64,
}

/// A template that came much more often than usual, or for the first time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangedTemplate {
    pub id: u64,
    pub text: String,
    pub records: u32,
    pub expected: f64,
    /// Nanoseconds since 1970; far in the past for templates known from the start.
    pub first_seen_nanos: i64,
}

impl Explanation {
    pub(crate) fn of(window: &Window, windows: &WindowDetector, miner: &Miner) -> Explanation {
        let channels = loudest(window);
        let has_forest = channels.iter().any(|shown| shown.channel == Channel::Forest);
        let shares = if has_forest { windows.forest_contributions(window) } else { Vec::new() };
        let templates =
            windows.changed(TEMPLATES_SHOWN).into_iter().map(|(kind, records, expected, first_seen)| {
                let template = miner.templates().get(usize::from(kind));
                ChangedTemplate {
                    id: template.map_or(0, |template| template.id),
                    text: template
                        .map_or_else(|| "other messages".to_owned(), |template| template.text.clone()),
                    records,
                    expected,
                    first_seen_nanos: first_seen,
                }
            });
        let doubt = window.rate_due * window.rate_doubt;
        Explanation {
            channels,
            templates: templates.collect(),
            records: windows.oddest(RECORDS_SHOWN),
            forest: Channel::ALL.into_iter().zip(shares).collect(),
            rate_band: (window.rate_due - doubt, window.rate_due + doubt),
            latency_due_ms: window.latency_due_ms,
        }
    }

    /// One line: the loudest channel and what it saw.
    pub fn summary(&self) -> String {
        let Some(first) = self.channels.first() else { return String::new() };
        let Evidence { observed, expected, .. } = first.evidence;
        let name = first.channel.name();
        match first.channel {
            Channel::Latency | Channel::LatencyDrift => {
                format!("{name}: {observed:.0} ms, usually {expected:.0} ms")
            }
            Channel::NewMessages => {
                let text = self.templates.first().map_or("", |template| template.text.as_str());
                format!("{name}: {text}")
            }
            Channel::Forest => "an unusual combination".to_owned(),
            _ => format!("{name}: {observed:.0} records, usually {expected:.1}"),
        }
    }
}

fn loudest(window: &Window) -> Vec<ChannelShare> {
    let ratio = |at: usize| {
        let evidence = window.evidence.get(at).copied().unwrap_or_default();
        evidence.surprise / window.thresholds.get(at).copied().unwrap_or(1.0)
    };
    let sum = (0..CHANNELS).map(ratio).sum::<f64>().max(f64::MIN_POSITIVE);
    let mut shares: Vec<ChannelShare> = Channel::ALL
        .into_iter()
        .zip(window.evidence)
        .enumerate()
        .map(|(at, (channel, evidence))| ChannelShare { channel, evidence, share: ratio(at) / sum })
        .collect();
    shares.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.channel.cmp(&b.channel)));
    shares.truncate(CHANNELS_SHOWN);
    shares
}
