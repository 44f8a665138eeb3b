//! What a range of records looks like, asked of all partitions: every replica looks, this node puts together.
//!
//! A heatmap takes what it can from minute aggregates: the whole minutes in its range, where the filter is of service and
//! level alone. Its edges, and everything else, come from records.

use insighthub_model::{PartitionId, Timestamp};
use tokio::time::Instant;

use super::Cluster;
use super::message::{Request, Response};
use super::questions::{filter, refusal};
use super::scatter::{Coverage, Question, Refusal};
use crate::group::PartitionGroup;
use crate::partition::ReadView;
use crate::query::exploring::{Heat, Seen, Wanted, explore};
use crate::query::pipeline::Counts;
use crate::query::{Budget, Conditions};

const MINUTE_NANOS: i64 = 60_000_000_000;

/// What is to be seen of every partition.
#[derive(Clone, Debug)]
pub struct ExploreQuestion {
    /// Stages of its query are not looked at.
    pub conditions: Conditions,
    pub wanted: Wanted,
}

/// The whole answer.
#[derive(Clone, Debug, Default)]
pub struct Explored {
    pub seen: Seen,
    pub counts: Counts,
    pub coverage: Coverage,
}

impl Question for ExploreQuestion {
    type Part = (Seen, Counts);

    fn request(&self, partitions: Vec<PartitionId>, deadline_ms: u32) -> Request {
        let (conditions, wanted) = (self.conditions.clone(), self.wanted.clone());
        Request::Explore { partitions, conditions, wanted, deadline_ms }
    }

    fn part(response: Response) -> Option<(Self::Part, Vec<PartitionId>)> {
        match response {
            Response::Explore { seen, counts, stale } => Some(((*seen, counts), stale)),
            _ => None,
        }
    }

    fn response((seen, counts): Self::Part, stale: Vec<PartitionId>) -> Response {
        Response::Explore { seen: Box::new(seen), counts, stale }
    }

    fn answer(&self, replicas: &[PartitionGroup], budget: &Budget<'_>) -> Result<Self::Part, Refusal> {
        if let Some(minutes) = self.whole_minutes()
            && let Some(part) = self.answer_by_minutes(replicas, minutes, budget)?
        {
            return Ok(part);
        }
        self.answer_by_records(replicas, &self.conditions, budget)
    }
}

/// Minutes that lie wholly in a range: the first, and the one after the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct WholeMinutes {
    first: i64,
    end: i64,
}

impl ExploreQuestion {
    fn answer_by_records(
        &self,
        replicas: &[PartitionGroup],
        conditions: &Conditions,
        budget: &Budget<'_>,
    ) -> Result<(Seen, Counts), Refusal> {
        let filter = filter(conditions)?;
        let views: Vec<ReadView> = replicas.iter().map(|replica| replica.replica.view()).collect();
        let sources: Vec<_> = views.iter().flat_map(ReadView::sources).collect();
        explore(&sources, &filter, &self.wanted, budget).map_err(refusal)
    }

    /// The minutes that aggregates can answer for, if nothing but a heatmap of them is wanted.
    fn whole_minutes(&self) -> Option<WholeMinutes> {
        let length = self.wanted.heat?.nanos();
        let only_heat = Wanted { heat: self.wanted.heat, ..Wanted::default() };
        let is_whole = length > 0 && length % MINUTE_NANOS == 0 && self.wanted == only_heat;
        let (from, to) = (self.conditions.from?, self.conditions.to?);
        let minutes =
            WholeMinutes { first: Timestamp(from.0.saturating_sub(1)).minute() + 1, end: to.minute() };
        (is_whole && minutes.first < minutes.end).then_some(minutes)
    }

    /// `None` where the filter needs records, or the aggregates do not hold every latency it means apart.
    fn answer_by_minutes(
        &self,
        replicas: &[PartitionGroup],
        minutes: WholeMinutes,
        budget: &Budget<'_>,
    ) -> Result<Option<(Seen, Counts)>, Refusal> {
        let filter = filter(&Conditions { from: None, to: None, ..self.conditions.clone() })?;
        let test = filter.minute_test().filter(|test| test.is_of_all_times());
        let (Some(test), Some(length)) = (test, self.wanted.heat) else { return Ok(None) };
        let (mut heat, mut counts) = (Heat::default(), Counts::default());
        for replica in replicas {
            let all = replica.replica.minutes(None, minutes.first, minutes.end - 1);
            let all = all.map_err(|error| Refusal::Damaged(error.to_string()))?;
            for (key, aggregate) in &all {
                let meant = test.accepts(&key.service, key.level).of(aggregate.count, aggregate.anomalies);
                if meant == 0 {
                    continue;
                }
                // Whose latencies are which is not known.
                let are_some = meant < aggregate.count;
                if are_some || !heat.take_in_minute(key.minute, &aggregate.latency, length) {
                    return Ok(None);
                }
                counts.matched_records += meant;
            }
        }
        let mut seen = Seen { records: counts.matched_records, heat, ..Seen::default() };
        let (from, to) = (self.conditions.from, self.conditions.to);
        let whole = [minutes.first, minutes.end].map(Timestamp::from_minute);
        for (from, to) in [(from, Some(whole[0])), (Some(whole[1]), to)] {
            if from < to {
                let edge = Conditions { from, to, ..self.conditions.clone() };
                let (part, cost) = self.answer_by_records(replicas, &edge, budget)?;
                seen.merge(part, &self.wanted).map_err(refusal)?;
                counts.add(cost);
            }
        }
        Ok(Some((seen, counts)))
    }
}

impl Cluster {
    /// Looks at the records the conditions mean. Times before now must have been made exact.
    pub async fn explore(
        &self,
        conditions: Conditions,
        wanted: Wanted,
        deadline: Instant,
    ) -> Result<Explored, Refusal> {
        let question = ExploreQuestion { conditions, wanted };
        let gathered = self.scatter(&question, self.store.all_partitions(), deadline).await?;
        let (parts, coverage) = (gathered.parts, gathered.coverage);
        // Thousands of values of many fields are no work for a thread that others wait for.
        let merging = crate::simulation::spawn_blocking(move || {
            let (mut seen, mut counts) = (Seen::default(), Counts::default());
            for (part, cost) in parts {
                counts.add(cost);
                seen.merge(part, &question.wanted).map_err(refusal)?;
            }
            Ok((seen, counts))
        });
        let (seen, counts) = merging.await.map_err(|error| Refusal::Internal(error.to_string()))??;
        Ok(Explored { seen, counts, coverage })
    }
}

#[cfg(test)]
mod tests {
    use insighthub_model::query::TimeSpan;

    use super::*;

    fn question(from: i64, to: i64, length: &str) -> ExploreQuestion {
        let (from, to) = (Some(Timestamp(from)), Some(Timestamp(to)));
        let conditions = Conditions { from, to, ..Conditions::default() };
        ExploreQuestion { conditions, wanted: Wanted { heat: TimeSpan::parse(length), ..Wanted::default() } }
    }

    #[test]
    fn whole_minutes_are_those_between_the_ends() {
        let whole = |from, to, length| question(from, to, length).whole_minutes();
        let minutes = |first, end| Some(WholeMinutes { first, end });
        assert_eq!(whole(0, 3 * MINUTE_NANOS, "1m"), minutes(0, 3));
        assert_eq!(whole(1, 3 * MINUTE_NANOS - 1, "5m"), minutes(1, 2));
        assert_eq!(whole(-1, MINUTE_NANOS + 1, "1h"), minutes(0, 1));
        assert_eq!(whole(1, MINUTE_NANOS + 1, "1m"), None, "none is whole");
        assert_eq!(whole(0, 3 * MINUTE_NANOS, "30s"), None, "columns are shorter than a minute");
        let mut both = question(0, 3 * MINUTE_NANOS, "1m");
        both.wanted.patterns = true;
        assert_eq!(both.whole_minutes(), None, "patterns need records");
    }
}
