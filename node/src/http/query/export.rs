//! Every record that is meant, page by page as the client takes them: complete, or visibly broken off.

use std::time::Duration;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use insighthub_model::query::{Query, Stage};
use insighthub_storage::cluster::{SearchAnswer, SearchQuestion};
use insighthub_storage::query::pipeline::{Gathered, Plan, finish};
use insighthub_storage::query::{Conditions, Cursor, Page};
use tokio::time::Instant;

use super::super::{ApiError, AppState};
use super::Format;
use super::written::Written;

/// Records gathered at once: bounds what an export holds in memory.
const PAGE_RECORDS: usize = 2_000;
const PAGE_DEADLINE: Duration = Duration::from_secs(60);

/// Which of the records that a filter means, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    skip: u64,
    take: u64,
}

impl Window {
    const ALL: Window = Window { skip: 0, take: u64::MAX };

    /// What `offset` and `limit` leave, one after the other.
    pub(super) fn of(stages: &[Stage]) -> Window {
        stages.iter().fold(Window::ALL, |Window { skip, take }, stage| match stage {
            Stage::Offset(rows) => {
                let passed_over = u64::from(*rows).min(take);
                Window { skip: skip + passed_over, take: take - passed_over }
            }
            Stage::Limit(rows) => Window { skip, take: take.min(u64::from(*rows)) },
            _ => Window { skip, take },
        })
    }

    /// The number of records from the newest to the last of these.
    pub(super) fn end(self) -> u64 {
        self.skip.saturating_add(self.take)
    }

    /// Takes those of a page that belong to it, and moves on.
    fn cut<T>(&mut self, page: Vec<T>) -> Vec<T> {
        let skipped = self.skip.min(page.len() as u64);
        let taken = self.take.min(page.len() as u64 - skipped);
        *self = Window { skip: self.skip - skipped, take: self.take - taken };
        page.into_iter().skip(skipped as usize).take(taken as usize).collect()
    }
}

/// An export under way.
struct Export {
    node: AppState,
    /// Its stages choose columns.
    plan: Plan,
    conditions: Conditions,
    window: Window,
    /// Until its end was taken.
    written: Option<Written>,
    after: Option<Cursor>,
    is_over: bool,
}

/// Streams the records of a query whose stages are `fields`, `offset` and `limit`. The client's pace is the export's: the
/// next page is read when it is asked for. What is wrong from the start is an ordinary refusal.
pub(super) async fn stream(
    node: AppState,
    conditions: Conditions,
    format: Format,
) -> Result<Response, ApiError> {
    let mut plan = Plan::new(&conditions.query, u32::MAX);
    let window = Window::of(&plan.stages);
    plan.stages.retain(|stage| matches!(stage, Stage::Fields(_)));
    let conditions = Conditions { query: Query::of(plan.filter.clone()), ..conditions };
    let written = Some(Written::new(format));
    let mut export = Export { node, plan, conditions, window, written, after: None, is_over: false };
    let first = export.next_part().await?;
    let others = stream::unfold(export, |mut export| async move {
        if export.is_over {
            return None;
        }
        let part = export.next_part().await;
        export.is_over |= part.is_err();
        Some((part.map_err(broken_off), export))
    });
    let parts = stream::iter([Ok(first)]).chain(others);
    Ok(([(header::CONTENT_TYPE, format.content_type())], Body::from_stream(parts)).into_response())
}

impl Export {
    /// The next part of the body. An error ends the body early, which every client notices.
    async fn next_part(&mut self) -> Result<Vec<u8>, ApiError> {
        let page = Page { limit: PAGE_RECORDS, after: self.after };
        let question = SearchQuestion { conditions: self.conditions.clone(), page };
        let (partitions, deadline) = (self.node.store.all_partitions(), Instant::now() + PAGE_DEADLINE);
        let gathered = self.node.cluster.scatter(&question, partitions, deadline).await?;
        if !gathered.coverage.is_complete() {
            return Err(ApiError::unavailable("some partitions do not answer: an export would not be whole"));
        }
        let answer = SearchAnswer::merge(gathered.parts, PAGE_RECORDS);
        self.after = answer.next_cursor();
        let records = Gathered::Records(self.window.cut(answer.records));
        self.is_over = self.after.is_none() || self.window.take == 0;
        let rows = finish(&self.plan, records, 0, None).map_err(|error| ApiError::internal(&error))?;
        let Some(mut written) = self.written.take() else { return Ok(Vec::new()) };
        let is_over = self.is_over;
        // A part of some formats is much work: not on a thread that serves others.
        let writing = tokio::task::spawn_blocking(move || -> Result<_, ApiError> {
            let mut bytes = written.part(&rows)?;
            if is_over {
                bytes.extend(written.end()?);
                return Ok((bytes, None));
            }
            Ok((bytes, Some(written)))
        });
        let (bytes, written) = writing.await.map_err(|error| ApiError::internal(&error))??;
        self.written = written;
        Ok(bytes)
    }
}

fn broken_off(error: ApiError) -> std::io::Error {
    tracing::warn!(reason = error.message, "an export is broken off");
    std::io::Error::other(error.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use insighthub_model::query;

    fn window(text: &str) -> Window {
        Window::of(&query::parse(text).unwrap().stages)
    }

    #[test]
    fn limits_and_offsets_are_one_window() {
        assert_eq!(window("*"), Window::ALL);
        assert_eq!(window("* | offset 3 | limit 10"), Window { skip: 3, take: 10 });
        assert_eq!(window("* | limit 10 | fields message | offset 3"), Window { skip: 3, take: 7 });
        assert_eq!(window("* | limit 2 | offset 3"), Window { skip: 2, take: 0 });
    }

    #[test]
    fn a_window_reaches_over_pages() {
        let mut window = window("* | offset 3 | limit 4");
        let mut page = |from: u64| window.cut((from..from + 2).collect());
        assert_eq!(
            [page(0), page(2), page(4), page(6), page(8)],
            [vec![], vec![3], vec![4, 5], vec![6], vec![]]
        );
    }
}
