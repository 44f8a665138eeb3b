//! Why a window is an anomaly, for a person on call.

pub use insighthub_model::detection::{ChangedTemplate, ChannelShare, Explanation};

use crate::template::Miner;
use crate::window::{CHANNELS, Channel, Window, WindowDetector};

const CHANNELS_SHOWN: usize = 3;
const TEMPLATES_SHOWN: usize = 5;
const RECORDS_SHOWN: usize = 5;

/// `examples` are the newest record of each template.
pub(crate) fn explain(
    window: &Window,
    windows: &WindowDetector,
    miner: &Miner,
    examples: &[u64],
) -> Explanation {
    let channels = loudest(window);
    let has_forest = channels.iter().any(|shown| shown.channel == Channel::Forest);
    let shares = if has_forest { windows.forest_contributions(window) } else { Vec::new() };
    let templates =
        windows.changed(TEMPLATES_SHOWN).into_iter().map(|(kind, records, expected, first_seen)| {
            let template = miner.templates().get(usize::from(kind));
            ChangedTemplate {
                id: template.map_or(0, |template| template.id),
                text: template.map_or_else(|| "other messages".to_owned(), |template| template.text.clone()),
                example: examples.get(usize::from(kind)).copied().unwrap_or(0),
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
