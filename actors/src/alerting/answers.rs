//! Answers to the questions of one look: rules that ask alike share one, and what is about past minutes is kept for a minute.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::StreamExt;
use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_storage::cluster::{Cluster, Refusal};
use insighthub_storage::query::pipeline::Rows;
use insighthub_storage::query::{Conditions, Filter};
use tokio::time::Instant;

use super::judging::{History, Window};
use super::questions::{Question, Row};

/// Questions under way at once: alerts must not be all that a node does.
const UNDER_WAY_MAX: usize = 4;
const MINUTE_SECS: u32 = 60;

/// Rows, and whether every partition answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Answer {
    pub(super) rows: Vec<Row>,
    pub(super) is_complete: bool,
}

/// Answers by question and window.
pub(super) type Answers = HashMap<(Question, Span), Arc<Answer>>;
pub(super) type Span = (Timestamp, Timestamp);

/// Sooner than that nothing is asked again that was asked in this minute.
const ASKED_AGAIN_SECS: i64 = 10;

/// What past minutes were like; asked again when a minute has passed.
#[derive(Debug, Default)]
pub(super) struct Past {
    histories: HashMap<(Question, u32), Known>,
}

#[derive(Debug)]
struct Known {
    /// The minute before which it ends.
    end: i64,
    asked_at: Timestamp,
    history: Arc<History>,
}

/// Asks each question once.
pub(super) async fn ask_all(
    cluster: &Cluster,
    wanted: impl IntoIterator<Item = (Question, Window)>,
    deadline: Instant,
) -> Answers {
    let wanted = wanted.into_iter().map(|(question, window)| (question, (window.from, window.to)));
    let distinct: HashSet<(Question, Span)> = wanted.collect();
    let asking = distinct.into_iter().map(|(question, (from, to))| async move {
        let answer = ask(cluster, &question, Window { from, to }, deadline).await;
        let answer =
            answer.inspect_err(|error| tracing::info!(%error, "a rule cannot be judged now")).ok()?;
        Some(((question, (from, to)), Arc::new(answer)))
    });
    let answered = futures::stream::iter(asking).buffer_unordered(UNDER_WAY_MAX);
    answered.filter_map(futures::future::ready).collect().await
}

pub(super) async fn ask(
    cluster: &Cluster,
    question: &Question,
    window: Window,
    deadline: Instant,
) -> Result<Answer, Refusal> {
    let conditions = Conditions {
        query: question.query().resolved_at(window.to),
        from: Some(window.from),
        to: Some(window.to),
        ..Conditions::default()
    };
    Filter::new(&conditions).map_err(|error| Refusal::Invalid(error.to_string()))?;
    let answer = cluster.query(&conditions, 1, deadline).await?;
    let is_complete = answer.coverage.is_complete();
    let rows = match answer.rows {
        Rows::Table(table) => question.rows(table),
        Rows::Records(_) => Vec::new(),
    };
    Ok(Answer { rows, is_complete })
}

impl Past {
    /// The whole minutes before a window, so many; of a question whose last figure is that of errors.
    pub(super) async fn minutes(
        &mut self,
        cluster: &Cluster,
        question: &Question,
        (window, count): (Window, u32),
        deadline: Instant,
    ) -> Result<Arc<History>, Refusal> {
        let end = window.from.minute();
        let key = (question.clone(), count);
        if let Some(known) = self.histories.get(&key)
            && known.end == end
        {
            return Ok(Arc::clone(&known.history));
        }
        let from = Timestamp::from_minute(end - i64::from(count));
        let asked = Window { from, to: Timestamp::from_minute(end) };
        let answer = ask(cluster, &question.clone().by_time(MINUTE_SECS), asked, deadline).await?;
        if !answer.is_complete {
            return Err(Refusal::Internal("not every partition says what is normal".to_owned()));
        }
        let history = Arc::new(History::of(answer.rows));
        // What nobody asks about any more is forgotten with its minute.
        self.histories.retain(|_, known| known.end + 1 >= end);
        self.histories.insert(key, Known { end, asked_at: window.to, history: Arc::clone(&history) });
        Ok(history)
    }

    /// Somebody is not known who might be by now: records of the past come late.
    pub(super) fn doubt(&mut self, question: &Question, count: u32, now: Timestamp) {
        let is_old =
            |known: &Known| now.0.saturating_sub(known.asked_at.0) >= ASKED_AGAIN_SECS * NANOS_PER_SEC;
        self.histories.retain(|(of, minutes), known| of != question || *minutes != count || !is_old(known));
    }
}
