//! How likely an episode is real, by what people said of others: any node learns it from the control state alone.

use std::sync::Arc;

pub use insighthub_detect::ranking::Ranker;
use insighthub_detect::ranking::{Course, EpisodeFeatures};
use insighthub_model::Timestamp;
use insighthub_model::detection::{Episode, Verdict};
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_storage::control::VerdictEntry;
use parking_lot::Mutex;

/// Every node grows the same trees.
const SEED: u64 = 1;

/// The ranker of the verdicts as of some moment; `None` where they were too few.
#[derive(Debug, Default)]
pub struct Ranking {
    known: Mutex<(u64, Option<Arc<Ranker>>)>,
}

impl Ranking {
    /// The ranker of these verdicts, oldest first, whose version grows with each; learned anew where there are newer ones,
    /// which takes up to a second. Blocks the thread.
    pub fn of(&self, version: u64, verdicts: &[VerdictEntry]) -> Option<Arc<Ranker>> {
        let mut known = self.known.lock();
        if known.0 != version {
            let learned: Vec<_> = verdicts.iter().map(example).collect();
            *known = (version, Ranker::fit(&learned, SEED).map(Arc::new));
        }
        known.1.clone()
    }
}

/// What is kept of an episode with a verdict.
pub fn features(episode: &Episode, now: Timestamp) -> Vec<f32> {
    features_of(episode, now).values().iter().map(|value| *value as f32).collect()
}

/// 0 to 1.
pub fn share_real(ranker: &Ranker, episode: &Episode, now: Timestamp) -> f64 {
    ranker.share_real(&features_of(episode, now))
}

fn features_of(episode: &Episode, now: Timestamp) -> EpisodeFeatures {
    let end = episode.ended_at.unwrap_or(now);
    let course = Course {
        opened: episode.opened_at,
        duration_secs: (end.0.saturating_sub(episode.opened_at.0)) as f64 / NANOS_PER_SEC as f64,
        peak: episode.peak_score,
    };
    EpisodeFeatures::of(&episode.explanation, &course)
}

fn example(entry: &VerdictEntry) -> (EpisodeFeatures, bool) {
    let values: Vec<f64> = entry.features.iter().map(|value| f64::from(*value)).collect();
    (EpisodeFeatures::from_values(&values), entry.verdict == Verdict::Real)
}

#[cfg(test)]
mod tests {
    use insighthub_model::detection::{Channel, ChannelShare, Evidence, Explanation};

    use super::*;

    fn episode(channel: Channel, peak_score: f64) -> Episode {
        let evidence = Evidence { surprise: 5.0 * peak_score, observed: 10.0, expected: 1.0 };
        let explanation = Explanation {
            channels: vec![ChannelShare { channel, evidence, share: 0.8 }],
            ..Explanation::default()
        };
        let at = Timestamp(1_790_000_000 * NANOS_PER_SEC);
        Episode { opened_at: at, peak_at: at, peak_score, ended_at: None, alerts: vec![at], explanation }
    }

    #[test]
    fn what_people_said_moves_later_episodes_apart() {
        let now = Timestamp(1_790_000_600 * NANOS_PER_SEC);
        let entry = |(number, channel, verdict): (u32, Channel, Verdict)| VerdictEntry {
            verdict,
            user: "op".to_owned(),
            said_at: now,
            features: features(&episode(channel, 1.5 + 0.1 * f64::from(number)), now),
        };
        let real = (0..6).map(|number| (number, Channel::Errors, Verdict::Real));
        let noise = (0..6).map(|number| (number, Channel::TrafficSurge, Verdict::FalseAlarm));
        let entries: Vec<VerdictEntry> = real.chain(noise).map(entry).collect();
        let ranking = Ranking::default();
        assert!(ranking.of(1, &entries[..2]).is_none(), "two verdicts say nothing");
        let ranker = ranking.of(2, &entries).unwrap();
        let share = |channel| share_real(&ranker, &episode(channel, 2.0), now);
        assert!(share(Channel::Errors) > 0.5 && share(Channel::TrafficSurge) < 0.5);
        assert!(Arc::ptr_eq(&ranker, &ranking.of(2, &[]).unwrap()), "it is learned once");
    }
}
