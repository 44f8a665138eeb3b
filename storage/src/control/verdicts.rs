//! The part of the control state that remembers what people said of episodes: that they were real, or false alarms. It is
//! the audit trail of that, and, with each episode's features, all that any node needs to learn from it.

use std::collections::BTreeMap;

use insighthub_model::Timestamp;
use insighthub_model::detection::{EpisodeId, Verdict};
use serde::{Deserialize, Serialize};

use super::ControlReply;

/// Verdicts kept; the one given longest ago makes room. A ranker learns nothing more from older ones.
const VERDICTS_MAX: usize = 10_000;
/// Bytes of a service's name: those that ingestion lets pass are shorter.
const SERVICE_BYTES_MAX: usize = 512;
/// Far more than an episode has; a bound on what a snapshot holds: 10,000 times 64 are 2.6 MB.
const FEATURES_MAX: usize = 64;

/// One verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerdictEntry {
    pub verdict: Verdict,
    pub user: String,
    pub said_at: Timestamp,
    /// What the episode looked like when it was judged; what they mean is known to those who learn from them.
    pub features: Vec<f32>,
}

/// What is kept of a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptVerdict {
    /// Grows with every verdict: clocks of nodes differ, the order of the log does not.
    pub number: u64,
    pub entry: VerdictEntry,
}

/// By episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdicts {
    pub entries: BTreeMap<EpisodeId, KeptVerdict>,
    /// The number of the newest.
    last: u64,
}

/// Says something of an episode, instead of what was said of it before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SayVerdict {
    pub episode: EpisodeId,
    pub entry: VerdictEntry,
}

impl Verdicts {
    pub(super) fn apply(&mut self, command: SayVerdict) -> ControlReply {
        let SayVerdict { episode, entry } = command;
        if episode.service.len() > SERVICE_BYTES_MAX || entry.features.len() > FEATURES_MAX {
            return ControlReply::LimitReached;
        }
        self.last += 1;
        self.entries.insert(episode, KeptVerdict { number: self.last, entry });
        if self.entries.len() > VERDICTS_MAX {
            let oldest = self.entries.iter().min_by_key(|(_, kept)| kept.number);
            if let Some(episode) = oldest.map(|(episode, _)| episode.clone()) {
                self.entries.remove(&episode);
            }
        }
        ControlReply::Done
    }

    /// Grows with every verdict.
    pub fn version(&self) -> u64 {
        self.last
    }

    pub fn of(&self, episode: &EpisodeId) -> Option<&VerdictEntry> {
        self.entries.get(episode).map(|kept| &kept.entry)
    }

    /// All verdicts, the one given longest ago first: the same order on every node, to learn from.
    pub fn in_order(&self) -> Vec<&VerdictEntry> {
        let mut kept: Vec<&KeptVerdict> = self.entries.values().collect();
        kept.sort_unstable_by_key(|kept| kept.number);
        kept.into_iter().map(|kept| &kept.entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ControlCommand, ControlState};
    use super::*;
    use crate::codec;
    use insighthub_model::PartitionId;

    fn episode(opened_at: i64) -> EpisodeId {
        EpisodeId { opened_at: Timestamp(opened_at), partition: PartitionId(1), service: "auth".into() }
    }

    fn say(opened_at: i64, verdict: Verdict, said_at: i64) -> SayVerdict {
        let entry = VerdictEntry {
            verdict,
            user: "admin".into(),
            said_at: Timestamp(said_at),
            features: vec![said_at as f32],
        };
        SayVerdict { episode: episode(opened_at), entry }
    }

    #[test]
    fn the_last_verdict_on_an_episode_counts_and_is_the_newest() {
        let mut verdicts = Verdicts::default();
        for (opened_at, verdict, said_at) in
            [(1, Verdict::Real, 30), (2, Verdict::Real, 20), (1, Verdict::FalseAlarm, 10)]
        {
            assert_eq!(verdicts.apply(say(opened_at, verdict, said_at)), ControlReply::Done);
        }
        let of = verdicts.of(&episode(1)).unwrap();
        assert_eq!((of.verdict, of.user.as_str(), of.said_at), (Verdict::FalseAlarm, "admin", Timestamp(10)));
        assert_eq!(verdicts.of(&episode(3)), None);
        let features: Vec<f32> = verdicts.in_order().iter().map(|entry| entry.features[0]).collect();
        assert_eq!(features, [20.0, 10.0], "in the order they were given, whatever the clocks said");
    }

    #[test]
    fn a_verdict_too_many_ends_the_oldest() {
        let mut verdicts = Verdicts::default();
        for number in 0..VERDICTS_MAX as i64 {
            verdicts.apply(say(number, Verdict::Real, number));
        }
        verdicts.apply(say(0, Verdict::FalseAlarm, 1));
        assert_eq!(verdicts.entries.len(), VERDICTS_MAX, "replaced, not added");
        verdicts.apply(say(-1, Verdict::Real, 2));
        assert_eq!(verdicts.entries.len(), VERDICTS_MAX);
        assert!(verdicts.of(&episode(0)).is_some() && verdicts.of(&episode(-1)).is_some());
        assert!(verdicts.of(&episode(1)).is_none(), "said longest ago, since the first was judged again");
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let mut verdicts = Verdicts::default();
        let (mut long, mut wide) = (say(1, Verdict::Real, 1), say(1, Verdict::Real, 1));
        long.episode.service = "x".repeat(SERVICE_BYTES_MAX + 1);
        wide.entry.features = vec![0.0; FEATURES_MAX + 1];
        for command in [long, wide] {
            assert_eq!(verdicts.apply(command), ControlReply::LimitReached);
        }
        assert_eq!(verdicts, Verdicts::default());
    }

    #[test]
    fn verdicts_come_back_from_a_snapshot() {
        let mut state = ControlState::default();
        state.apply(ControlCommand::SayVerdict(say(7, Verdict::FalseAlarm, 9)));
        let bytes = codec::encode(1, &state).unwrap();
        assert_eq!(codec::decode::<ControlState>(1, &bytes).unwrap(), state);
        assert_eq!(state.portable().verdicts, state.verdicts, "a backup holds them");
    }
}
