//! A query of records: what our filter lets through, run through the pipeline here.

use std::collections::HashSet;
use std::sync::Arc;

use insighthub_model::{LogId, Record, Timestamp};
use insighthub_storage::query::Conditions;

use super::super::ApiError;
use super::answer::{Entry, Streams};
use super::asked::Span;
use super::asking::{Asking, conditions};
use super::error::LokiError;
use super::limits::{LOOKED_AT_MAX, PAGE_RECORDS};
use crate::logql::ast::LogQuery;
use crate::logql::line::{Line, Pipeline};
use crate::logql::pushdown::push;

/// Which end of the span lines are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    NewestFirst,
    OldestFirst,
}

/// What lines are asked for.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) conditions: Conditions,
    pub(super) pipeline: Arc<Pipeline>,
}

impl Lines {
    pub(super) fn of(query: &LogQuery, span: Span) -> Result<Lines, LokiError> {
        let pushed = push(query);
        let pipeline = Pipeline::new(&pushed.rest).map_err(LokiError::bad_query)?;
        Ok(Lines { conditions: conditions(pushed.filter, span)?, pipeline: Arc::new(pipeline) })
    }

    /// The first lines from one end. Where many records are looked at for few lines, there is a bound, and beyond it an error.
    pub(super) async fn first(
        &self,
        asking: &mut Asking,
        way: Way,
        limit: usize,
    ) -> Result<Vec<Found>, LokiError> {
        let mut lines = Vec::new();
        let mut looked_at = 0;
        let mut position = Position::default();
        loop {
            let wanted = if self.pipeline.is_empty() { limit } else { PAGE_RECORDS };
            let page = match way {
                Way::NewestFirst => position.newest(asking, &self.conditions, wanted).await?,
                Way::OldestFirst => position.oldest(asking, &self.conditions, wanted).await?,
            };
            looked_at += page.len();
            lines.extend(self.run(page, limit - lines.len()).await?);
            if lines.len() >= limit || position.is_over {
                return Ok(lines);
            }
            if looked_at >= LOOKED_AT_MAX {
                return Err(LokiError::over_budget(format!(
                    "{looked_at} records were looked at line by line and only {} of {limit} lines found: narrow the selector, \
                     the line filters or the time range",
                    lines.len()
                )));
            }
        }
    }

    /// Parsing thousands of lines is no work for a thread that others wait for.
    async fn run(&self, records: Vec<Record>, limit: usize) -> Result<Vec<Found>, LokiError> {
        let pipeline = Arc::clone(&self.pipeline);
        let running = tokio::task::spawn_blocking(move || {
            let lines = records.into_iter().filter_map(|record| {
                let mut line = Line::of(&record);
                pipeline.run(&mut line).then_some(Found {
                    at: record.timestamp.0,
                    log_id: record.log_id,
                    line,
                })
            });
            lines.take(limit).collect()
        });
        running.await.map_err(|error| LokiError(ApiError::internal(&error)))
    }
}

/// A line that came through.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) at: i64,
    pub(super) log_id: LogId,
    pub(super) line: Line,
}

/// Where the next page begins.
#[derive(Debug, Default)]
struct Position {
    after: Option<insighthub_storage::query::Cursor>,
    /// From the oldest on: the last moment seen, and its records.
    from: Option<Timestamp>,
    seen: HashSet<LogId>,
    is_over: bool,
}

impl Position {
    async fn newest(
        &mut self,
        asking: &mut Asking,
        conditions: &Conditions,
        wanted: usize,
    ) -> Result<Vec<Record>, LokiError> {
        let page = asking.page(conditions, wanted, self.after).await?;
        self.after = page.next_cursor();
        self.is_over = self.after.is_none();
        Ok(page.records)
    }

    /// Records of the last moment come again, and are known by their ids.
    async fn oldest(
        &mut self,
        asking: &mut Asking,
        conditions: &Conditions,
        wanted: usize,
    ) -> Result<Vec<Record>, LokiError> {
        let conditions = Conditions { from: self.from.or(conditions.from), ..conditions.clone() };
        let asked_for = wanted + self.seen.len();
        if asked_for > insighthub_model::limits::PAGE_RECORDS_MAX {
            let reason =
                "too many records have the same moment to be read oldest first: use direction=backward";
            return Err(LokiError::over_budget(reason));
        }
        let mut page = asking.oldest(&conditions, asked_for).await?;
        self.is_over = page.len() < asked_for;
        page.retain(|record| !self.seen.contains(&record.log_id));
        if let Some(last) = page.last().map(|record| record.timestamp) {
            if self.from != Some(last) {
                self.seen.clear();
            }
            self.from = Some(last);
            let of_last = page.iter().filter(|record| record.timestamp == last);
            self.seen.extend(of_last.map(|record| record.log_id));
        }
        Ok(page)
    }
}

/// Lines as Loki groups them.
pub(super) fn streams(lines: Vec<Found>, categorizes: bool) -> Streams {
    let mut streams = Streams::default();
    for Found { at, line, .. } in lines {
        let labels = if categorizes { line.stream.clone() } else { line.all() };
        let Line { text, metadata, parsed, .. } = line;
        streams.push(labels, Entry { at, text, metadata, parsed });
    }
    streams
}
