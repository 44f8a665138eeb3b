//! What becomes of templates when they are kept: counts by minute, and the texts of those that are new or have become
//! more general.

use insighthub_model::Timestamp;
use insighthub_model::detection::{PatternCounts, PatternText};
use insighthub_model::timestamp::NANOS_PER_SEC;
use serde::{Deserialize, Serialize};

use crate::math::sum_by_key;
use crate::memory;
use crate::template::{Miner, OVERFLOW};

const MINUTE_NANOS: i64 = 60 * NANOS_PER_SEC;
/// The pattern of messages that found no room.
const OTHER: u64 = 0;

/// The minute under way: records by template number.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PatternLog {
    minute: i64,
    counts: Vec<(u16, u32)>,
}

impl PatternLog {
    /// Counts what ended at this moment; answers the minute before once a new one has begun.
    pub(crate) fn count(
        &mut self,
        end_nanos: i64,
        counts: &[(u16, u32)],
        miner: &Miner,
    ) -> Option<PatternCounts> {
        let minute = (end_nanos - 1).div_euclid(MINUTE_NANOS);
        let done = (minute != self.minute).then(|| self.take(miner)).flatten();
        self.minute = minute;
        for (number, count) in counts {
            match self.counts.binary_search_by_key(number, |(known, _)| *known) {
                Ok(at) => {
                    if let Some((_, known)) = self.counts.get_mut(at) {
                        *known += count;
                    }
                }
                Err(at) => self.counts.insert(at, (*number, *count)),
            }
        }
        done
    }

    /// Bytes on the heap.
    pub(crate) fn memory_bytes(&self) -> usize {
        memory::of_vec(&self.counts)
    }

    fn take(&mut self, miner: &Miner) -> Option<PatternCounts> {
        if self.counts.is_empty() {
            return None;
        }
        let ids = self.counts.drain(..).map(|(number, count)| (id(miner, number), count));
        let mut counts: Vec<(u64, u32)> = ids.collect();
        // Templates may have become one since they were counted.
        sum_by_key(&mut counts);
        Some(PatternCounts { minute: self.minute, counts })
    }
}

fn id(miner: &Miner, number: u16) -> u64 {
    let number = if number == OVERFLOW { number } else { miner.current(number) };
    miner.templates().get(usize::from(number)).map_or(OTHER, |template| template.id)
}

/// What is to be told of templates that are new or have changed; `is_news` of a template's number.
pub(crate) fn texts(
    miner: &mut Miner,
    examples: &[u64],
    at: Timestamp,
    is_news: impl Fn(u16) -> bool,
) -> Vec<PatternText> {
    let changed = miner.take_changed();
    let text = |number: &u16| {
        let template = miner.templates().get(usize::from(*number))?;
        Some(PatternText {
            id: template.id,
            text: template.text.clone(),
            example: examples.get(usize::from(*number)).copied().unwrap_or(0),
            first_seen: at,
            merged_into: template.merged_into.map(|_| id(miner, *number)),
            is_news: is_news(*number),
        })
    };
    changed.iter().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_told_when_the_next_begins_and_merged_templates_are_one() {
        let mut miner = Miner::default();
        let first = miner.learn("disk full on node a");
        let other = miner.learn("user alice logged in");
        let mut log = PatternLog::default();
        assert_eq!(log.count(10 * NANOS_PER_SEC, &[(first, 2), (other, 1)], &miner), None);
        assert_eq!(log.count(60 * NANOS_PER_SEC, &[(first, 3)], &miner), None);
        let told = log.count(70 * NANOS_PER_SEC, &[(other, 1)], &miner).unwrap();
        assert_eq!(told.minute, 0);
        let mut expected = vec![
            (miner.templates()[usize::from(first)].id, 5),
            (miner.templates()[usize::from(other)].id, 1),
        ];
        expected.sort_unstable();
        assert_eq!(told.counts, expected);
        // A minute without records is not told.
        assert!(log.count(130 * NANOS_PER_SEC, &[], &miner).is_some());
        assert_eq!(log.count(190 * NANOS_PER_SEC, &[], &miner), None);
    }

    #[test]
    fn a_text_is_told_once_until_it_changes() {
        let mut miner = Miner::default();
        miner.learn("user alice logged in");
        let told = texts(&mut miner, &[7], Timestamp(5), |_| true);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].text.as_str(), told[0].is_news), ("user alice logged in", true));
        assert_eq!(texts(&mut miner, &[7], Timestamp(6), |_| true), []);
        miner.learn("user alice logged out");
        let told = texts(&mut miner, &[7], Timestamp(7), |_| false);
        assert_eq!(told[0].text, "user alice logged <*>");
    }
}
