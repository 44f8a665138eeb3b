//! Every record that is meant, page by page as the client takes them: complete, or visibly broken off.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use insighthub_model::query::Query;
use insighthub_storage::cluster::{SearchAnswer, SearchQuestion};
use insighthub_storage::query::pipeline::{Gathered, Plan, Rows, finish};
use insighthub_storage::query::{Conditions, Cursor, Page};
use tokio::time::Instant;

use super::super::AppState;
use super::{Format, shape};

/// Records gathered at once: bounds what an export holds in memory.
const PAGE_RECORDS: usize = 2_000;
const PAGE_DEADLINE: Duration = Duration::from_secs(60);

/// An export under way.
struct Export {
    node: AppState,
    plan: Plan,
    conditions: Conditions,
    format: Format,
    after: Option<Cursor>,
    is_first: bool,
    is_over: bool,
}

/// Streams the records. The client's pace is the export's: the next page is read when it is asked for.
pub(super) fn stream(node: AppState, conditions: Conditions, format: Format) -> Response {
    let plan = Plan::new(&conditions.query, u32::MAX);
    let query = Query::of(plan.filter.clone());
    let conditions = Conditions { query, ..conditions };
    let export = Export { node, plan, conditions, format, after: None, is_first: true, is_over: false };
    let pages = stream::unfold(export, |mut export| async move {
        if export.is_over {
            return None;
        }
        let page = export.next_page().await;
        export.is_over |= page.is_err();
        Some((page, export))
    });
    let content_type = match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::Ndjson | Format::Json => "application/x-ndjson",
    };
    ([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], Body::from_stream(pages))
        .into_response()
}

impl Export {
    /// The next part of the body. An error ends the body early, which every client notices.
    async fn next_page(&mut self) -> Result<Vec<u8>, std::io::Error> {
        let page = Page { limit: PAGE_RECORDS, after: self.after };
        let question = SearchQuestion { conditions: self.conditions.clone(), page };
        let (partitions, deadline) = (self.node.store.all_partitions(), Instant::now() + PAGE_DEADLINE);
        let gathered = self.node.cluster.scatter(&question, partitions, deadline).await;
        let gathered = gathered.map_err(|refusal| broken_off(&refusal.to_string()))?;
        if !gathered.coverage.is_complete() {
            return Err(broken_off("some partitions do not answer"));
        }
        let answer = SearchAnswer::merge(gathered.parts, PAGE_RECORDS);
        self.after = answer.next_cursor();
        self.is_over = self.after.is_none();
        let records = Gathered::Records(answer.records);
        let rows = finish(&self.plan, records, 0, None).map_err(|error| broken_off(&error.to_string()))?;
        Ok(self.show(&rows))
    }

    fn show(&mut self, rows: &Rows) -> Vec<u8> {
        if self.format != Format::Csv {
            return shape::ndjson(rows);
        }
        let mut text = if std::mem::take(&mut self.is_first) { shape::csv_head(rows) } else { Vec::new() };
        shape::csv_rows(rows, &mut text);
        text
    }
}

fn broken_off(reason: &str) -> std::io::Error {
    tracing::warn!(reason, "an export is broken off");
    std::io::Error::other(reason.to_owned())
}
