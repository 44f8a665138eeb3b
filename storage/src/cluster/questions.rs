//! The questions that go to every partition: what each asks, how a replica answers, how answers travel.

use std::collections::BTreeMap;

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::{PartitionId, Record};

use super::message::{Found, Request, Response};
use super::scatter::{Question, Refusal};
use crate::group::PartitionGroup;
use crate::note::{Note, NoteFilter};
use crate::partition::ReadView;
use crate::query::{Budget, Conditions, Cursor, Filter, Matched, Page, QueryError, search};

/// The newest matching records.
#[derive(Clone, Debug)]
pub struct SearchQuestion {
    pub conditions: Conditions,
    pub page: Page,
}

/// Part of the answer, or all of it once merged.
#[derive(Clone, Debug)]
pub struct SearchAnswer {
    /// Newest first.
    pub records: Vec<Record>,
    /// More follow behind the last.
    pub more: bool,
    pub scanned_records: u64,
    pub matched_records: Matched,
    pub pruned_sources: u64,
}

impl SearchAnswer {
    /// One page out of the pages of several nodes.
    pub fn merge(parts: Vec<SearchAnswer>, limit: usize) -> SearchAnswer {
        let mut merged = SearchAnswer {
            records: Vec::new(),
            more: false,
            scanned_records: 0,
            matched_records: Matched::Exactly(0),
            pruned_sources: 0,
        };
        for part in parts {
            merged.records.extend(part.records);
            merged.more |= part.more;
            merged.scanned_records += part.scanned_records;
            merged.pruned_sources += part.pruned_sources;
            let sum = merged.matched_records.count() + part.matched_records.count();
            merged.matched_records = match (merged.matched_records, part.matched_records) {
                (Matched::Exactly(_), Matched::Exactly(_)) => Matched::Exactly(sum),
                _ => Matched::AtLeast(sum),
            };
        }
        merged.records.sort_by_key(|record| std::cmp::Reverse(Cursor::after(record)));
        merged.more |= merged.records.len() > limit;
        merged.records.truncate(limit);
        merged
    }

    pub fn next_cursor(&self) -> Option<Cursor> {
        self.records.last().filter(|_| self.more).map(Cursor::after)
    }
}

impl Question for SearchQuestion {
    type Part = SearchAnswer;

    fn request(&self, partitions: Vec<PartitionId>, deadline_ms: u32) -> Request {
        Request::Search {
            partitions,
            conditions: self.conditions.clone(),
            limit: self.page.limit as u32,
            after: self.page.after.map(|cursor| (cursor.timestamp, cursor.log_id)),
            deadline_ms,
        }
    }

    fn part(response: Response) -> Option<(SearchAnswer, Vec<PartitionId>)> {
        let Response::Search(found) = response else { return None };
        let matched = found.matched_records;
        let answer = SearchAnswer {
            records: found.records.into_iter().map(Record::from).collect(),
            more: found.more,
            scanned_records: found.scanned_records,
            matched_records: match found.matched_is_lower_bound {
                true => Matched::AtLeast(matched),
                false => Matched::Exactly(matched),
            },
            pruned_sources: found.pruned_sources,
        };
        Some((answer, found.stale))
    }

    fn response(answer: SearchAnswer, stale: Vec<PartitionId>) -> Response {
        Response::Search(Found {
            records: answer.records.into_iter().map(Into::into).collect(),
            more: answer.more,
            scanned_records: answer.scanned_records,
            matched_records: answer.matched_records.count(),
            matched_is_lower_bound: matches!(answer.matched_records, Matched::AtLeast(_)),
            pruned_sources: answer.pruned_sources,
            stale,
        })
    }

    fn answer(&self, replicas: &[PartitionGroup], budget: &Budget<'_>) -> Result<SearchAnswer, Refusal> {
        let filter = filter(&self.conditions)?;
        let views: Vec<ReadView> = replicas.iter().map(|replica| replica.replica.view()).collect();
        let sources: Vec<_> = views.iter().flat_map(ReadView::sources).collect();
        let result = search(&sources, &filter, &self.page, budget).map_err(refusal)?;
        Ok(SearchAnswer {
            more: result.next_cursor.is_some(),
            records: result.records,
            scanned_records: result.scanned_records,
            matched_records: result.matched_records,
            pruned_sources: result.pruned_sources,
        })
    }
}

pub(super) fn filter(conditions: &Conditions) -> Result<Filter, Refusal> {
    Filter::new(conditions).map_err(|error| Refusal::Invalid(error.to_string()))
}

pub(super) fn refusal(error: QueryError) -> Refusal {
    match error {
        QueryError::Column(error) => Refusal::Damaged(error.to_string()),
        QueryError::Filter(error) => Refusal::Invalid(error.to_string()),
        over_budget => Refusal::OverBudget(over_budget.to_string()),
    }
}

/// Minute aggregates of a range, of one service or of all.
#[derive(Clone, Debug)]
pub struct MinutesQuestion {
    pub service: Option<String>,
    pub from_minute: i64,
    pub to_minute: i64,
}

impl Question for MinutesQuestion {
    type Part = BTreeMap<MinuteKey, MinuteAggregate>;

    fn request(&self, partitions: Vec<PartitionId>, deadline_ms: u32) -> Request {
        Request::Minutes {
            partitions,
            service: self.service.clone(),
            from_minute: self.from_minute,
            to_minute: self.to_minute,
            deadline_ms,
        }
    }

    fn part(response: Response) -> Option<(Self::Part, Vec<PartitionId>)> {
        match response {
            Response::Minutes { minutes, stale } => Some((minutes.into_iter().collect(), stale)),
            _ => None,
        }
    }

    fn response(part: Self::Part, stale: Vec<PartitionId>) -> Response {
        Response::Minutes { minutes: part.into_iter().collect(), stale }
    }

    fn answer(&self, replicas: &[PartitionGroup], _budget: &Budget<'_>) -> Result<Self::Part, Refusal> {
        let mut all: Self::Part = BTreeMap::new();
        for replica in replicas {
            let minutes = replica.replica.minutes(self.service.as_deref(), self.from_minute, self.to_minute);
            let minutes = minutes.map_err(|error| Refusal::Damaged(error.to_string()))?;
            for (key, aggregate) in minutes {
                all.entry(key).or_default().merge(&aggregate);
            }
        }
        Ok(all)
    }
}

/// What was found out about services.
#[derive(Clone, Debug)]
pub struct NotesQuestion(pub NoteFilter);

impl Question for NotesQuestion {
    type Part = Vec<(PartitionId, Note)>;

    fn request(&self, partitions: Vec<PartitionId>, deadline_ms: u32) -> Request {
        Request::Notes { partitions, filter: self.0.clone(), deadline_ms }
    }

    fn part(response: Response) -> Option<(Self::Part, Vec<PartitionId>)> {
        match response {
            Response::Notes { notes, stale } => Some((notes, stale)),
            _ => None,
        }
    }

    fn response(notes: Self::Part, stale: Vec<PartitionId>) -> Response {
        Response::Notes { notes, stale }
    }

    fn answer(&self, replicas: &[PartitionGroup], budget: &Budget<'_>) -> Result<Self::Part, Refusal> {
        let mut all = Vec::new();
        for replica in replicas {
            if (budget.stop)().is_some() {
                return Err(Refusal::OverBudget("there was no time to read all of it: ask for less".into()));
            }
            let notes = replica.replica.notes(&self.0);
            all.extend(notes.map_err(|error| Refusal::Damaged(error.to_string()))?);
        }
        self.0.arrange(&mut all);
        Ok(all)
    }
}
