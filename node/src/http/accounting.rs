//! What became of the records that were sent: `GET /api/accounting`, and why records were refused:
//! `GET /api/dead-letters/summary`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use insighthub_model::Timestamp;
use insighthub_model::api::accounting::{
    Account, Accounting, DeadLettersSummary, RejectedBy, ServiceAccount, SummedReason,
};
use insighthub_model::api::answer::Coverage;
use insighthub_model::query;
use insighthub_model::table::{Table, Value};
use insighthub_storage::cluster::{LetterCounts, LetterCountsQuestion};
use insighthub_storage::query::Conditions;
use insighthub_storage::query::pipeline::Rows;
use tokio::time::Instant;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Viewer;
use super::document::parameters;
use super::extract::{Json, Query};
use super::reading::{Parameters, coverage_of, range};
use super::{ApiError, AppState, Counters, Node};

const DEADLINE: Duration = Duration::from_secs(30);
const REASONS_DEFAULT: usize = 200;
const REASONS_MAX: usize = 2_000;
/// Reasons listed of one service.
const REASONS_OF_SERVICE_MAX: usize = 20;

const STORED: &str = "* | stats count() as records by service";
/// What client libraries say of themselves (see `docs/decisions/0030`); a browser's says no reason.
const REPORTED: &str = "sdk_report:dropped | stats count() as reports, sum(dropped) as dropped, \
     sum(dropped_by.queue_full) as queue_full, sum(dropped_by.spool_full) as spool_full, \
     sum(dropped_by.closed) as closed, sum(dropped_by.exit) as exit by service";
const DROP_REASONS: [&str; 4] = ["queue_full", "spool_full", "closed", "exit"];

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(accounting)).routes(routes!(summary))
}

/// A range of time; its end is not part of it.
#[derive(Clone, Copy, Debug)]
struct Range {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Range {
    fn take(parameters: &mut Parameters) -> Result<Range, ApiError> {
        let (from, to) = range(parameters.take("from")?.as_deref(), parameters.take("to")?.as_deref())?;
        Ok(Range { from, to })
    }
}

/// What part of an answer lacks.
#[derive(Debug, Default)]
struct Doubts(Vec<String>);

impl Doubts {
    fn of_coverage(&mut self, coverage: Coverage) {
        if !coverage.complete {
            self.say("some partitions do not answer");
        }
        if coverage.stale {
            self.say("a replica could not confirm that it holds everything acknowledged");
        }
    }

    fn of_letters(&mut self, counts: &LetterCounts) {
        if counts.is_cut {
            self.say("there are more dead letters than are counted: ask for a shorter range");
        }
    }

    fn say(&mut self, doubt: &str) {
        if !self.0.iter().any(|said| said == doubt) {
            self.0.push(doubt.to_owned());
        }
    }
}

/// What became of the records of each service: stored, rejected, or dropped before they were sent.
///
/// Records count by their own time, dead letters by when they were received, drops by when they were reported.
#[utoipa::path(
    get, path = "/api/accounting",
    params(parameters::RangeParameters),
    responses((status = 200, body = Accounting), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn accounting(
    State(node): State<AppState>,
    _viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<Accounting>, ApiError> {
    let mut parameters = Parameters::new(pairs);
    let range = Range::take(&mut parameters)?;
    parameters.refuse_others()?;
    Counters::add(&node.counters.queries, 1);
    let (stored, reported, letters) =
        tokio::try_join!(table(&node, STORED, range), table(&node, REPORTED, range), letters(&node, range))?;
    let mut doubts = Doubts::default();
    let coverages = [stored.1, reported.1, letters.1];
    coverages.iter().for_each(|coverage| doubts.of_coverage(*coverage));
    doubts.of_letters(&letters.0);
    if letters.0.others > 0 {
        doubts.say("there are more services and reasons of dead letters than are told apart: some stand under no service");
    }
    let accounts = accounts(&stored.0, &reported.0, &letters.0);
    let total = accounts.iter().fold(Account::default(), |total, one| sum(total, one.account));
    let coverage =
        coverages.into_iter().min_by_key(|coverage| (coverage.partitions_answered, !coverage.stale));
    Ok(Json(Accounting {
        services: accounts,
        total,
        exact: doubts.0.is_empty(),
        inexact_because: doubts.0,
        coverage: coverage.unwrap_or_default(),
    }))
}

/// Why records were refused, by service, the most frequent reasons first.
#[utoipa::path(
    get, path = "/api/dead-letters/summary",
    params(parameters::RangeParameters, parameters::SummaryParameters),
    responses((status = 200, body = DeadLettersSummary), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn summary(
    State(node): State<AppState>,
    _viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<DeadLettersSummary>, ApiError> {
    let mut parameters = Parameters::new(pairs);
    let limit = parameters.take_number("limit", REASONS_DEFAULT, REASONS_MAX)?;
    let range = Range::take(&mut parameters)?;
    parameters.refuse_others()?;
    let (counts, coverage) = letters(&node, range).await?;
    let mut doubts = Doubts::default();
    doubts.of_coverage(coverage);
    doubts.of_letters(&counts);
    if counts.others > 0 {
        doubts.say("there are more services and reasons than are told apart: the rest is in `total` only");
    }
    let listed: u64 = counts.by_reason.values().map(|letters| letters.count).sum();
    let more = counts.by_reason.len() > limit || counts.others > 0;
    let mut reasons: Vec<SummedReason> = counts
        .by_reason
        .into_iter()
        .map(|(of, letters)| SummedReason {
            service: of.service,
            field: of.field,
            reason: of.reason,
            count: letters.count,
            last_received_at: letters.newest.0,
            sample_id: letters.newest.1,
        })
        .collect();
    // Those that are equally frequent stay in the order of their names.
    reasons.sort_by_key(|reason| Reverse(reason.count));
    reasons.truncate(limit);
    Ok(Json(DeadLettersSummary {
        reasons,
        total: listed + counts.others,
        more,
        exact: doubts.0.is_empty(),
        inexact_because: doubts.0,
        coverage,
    }))
}

async fn letters(node: &Node, Range { from, to }: Range) -> Result<(LetterCounts, Coverage), ApiError> {
    let question = LetterCountsQuestion { from, to };
    let partitions = node.store.all_partitions();
    let gathered = node.cluster.scatter(&question, partitions, Instant::now() + DEADLINE).await?;
    let mut counts = LetterCounts::default();
    gathered.parts.into_iter().for_each(|part| counts.merge(part));
    Ok((counts, coverage_of(&gathered.coverage)))
}

async fn table(node: &Node, text: &str, Range { from, to }: Range) -> Result<(Table, Coverage), ApiError> {
    let query = query::parse(text).map_err(|error| ApiError::internal(&error))?;
    let conditions = Conditions { query, from, to, ..Conditions::default() };
    let answer = node.cluster.query(&conditions, 1, Instant::now() + DEADLINE).await?;
    let coverage = coverage_of(&answer.coverage);
    match answer.rows {
        Rows::Table(table) => Ok((table, coverage)),
        Rows::Records(_) => Err(ApiError::internal(&"a question with groups was answered with records")),
    }
}

/// A row by the names of its columns.
fn cell<'a>(table: &Table, row: &'a [Value], name: &str) -> Option<&'a Value> {
    let at = table.columns.iter().position(|column| column == name)?;
    row.get(at)
}

fn number(table: &Table, row: &[Value], name: &str) -> u64 {
    match cell(table, row, name) {
        Some(Value::Int(number)) => u64::try_from(*number).unwrap_or_default(),
        // Sums of what a client says; less than nothing was not dropped.
        Some(Value::Float(number)) if *number > 0.0 => number.round() as u64,
        _ => 0,
    }
}

fn service_of(table: &Table, row: &[Value]) -> Option<String> {
    match cell(table, row, "service") {
        Some(Value::Text(service)) => Some(service.clone()),
        _ => None,
    }
}

fn sum(a: Account, b: Account) -> Account {
    Account {
        sent: a.sent + b.sent,
        stored: a.stored + b.stored,
        rejected: a.rejected + b.rejected,
        dropped: a.dropped + b.dropped,
    }
}

fn accounts(stored: &Table, reported: &Table, letters: &LetterCounts) -> Vec<ServiceAccount> {
    let mut accounts: BTreeMap<Option<String>, ServiceAccount> = BTreeMap::new();
    let mut of = |service: Option<String>, change: &mut dyn FnMut(&mut ServiceAccount)| {
        let account = accounts
            .entry(service.clone())
            .or_insert_with(|| ServiceAccount { service, ..ServiceAccount::default() });
        change(account);
    };
    for row in &stored.rows {
        of(service_of(stored, row), &mut |one| one.account.stored = number(stored, row, "records"));
    }
    for row in &reported.rows {
        of(service_of(reported, row), &mut |one| {
            // A report may have come between the two counts.
            one.account.stored = one.account.stored.saturating_sub(number(reported, row, "reports"));
            one.account.dropped = number(reported, row, "dropped");
            let reasons = DROP_REASONS.map(|reason| (reason.to_owned(), number(reported, row, reason)));
            one.dropped_by.extend(reasons.into_iter().filter(|(_, dropped)| *dropped > 0));
        });
    }
    for (refused_for, letters) in &letters.by_reason {
        of(refused_for.service.clone(), &mut |one| {
            one.account.rejected += letters.count;
            one.rejected_by.push(RejectedBy {
                field: refused_for.field.clone(),
                reason: refused_for.reason.clone(),
                count: letters.count,
            });
        });
    }
    if letters.others > 0 {
        of(None, &mut |one| one.account.rejected += letters.others);
    }
    accounts.into_values().map(finished).collect()
}

fn finished(mut one: ServiceAccount) -> ServiceAccount {
    let Account { stored, rejected, dropped, .. } = one.account;
    one.account.sent = stored + rejected + dropped;
    one.rejected_by.sort_by_key(|by| Reverse(by.count));
    one.rejected_by.truncate(REASONS_OF_SERVICE_MAX);
    one
}

#[cfg(test)]
mod tests {
    use insighthub_model::{LogId, PartitionId};
    use insighthub_storage::cluster::{LettersOfReason, RefusedFor};

    use super::*;

    fn table(columns: &[&str], rows: Vec<Vec<Value>>) -> Table {
        Table { columns: columns.iter().map(|name| (*name).to_owned()).collect(), rows }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn what_was_sent_is_what_became_of_it() {
        let stored = table(
            &["service", "records"],
            vec![vec![text("auth"), Value::Int(100)], vec![text("checkout"), Value::Int(7)]],
        );
        let reported = table(
            &["service", "reports", "dropped", "queue_full", "exit"],
            vec![vec![text("checkout"), Value::Int(2), Value::Float(40.0), Value::Int(30), Value::Null]],
        );
        let mut letters = LetterCounts { others: 1, ..LetterCounts::default() };
        for (service, reason, count) in [
            (Some("auth"), "level must be ...", 3),
            (Some("auth"), "no", 5),
            (Some("gone"), "no", 2),
            (None, "no", 4),
        ] {
            let of =
                RefusedFor { service: service.map(str::to_owned), field: None, reason: reason.to_owned() };
            let newest = (Timestamp(0), LogId { partition: PartitionId(0), offset: 0 });
            letters.by_reason.insert(of, LettersOfReason { count, newest });
        }
        let accounts = accounts(&stored, &reported, &letters);
        let figures: Vec<_> = accounts
            .iter()
            .map(|one| {
                let Account { sent, stored, rejected, dropped } = one.account;
                (one.service.as_deref(), sent, stored, rejected, dropped)
            })
            .collect();
        assert_eq!(
            figures,
            [
                (None, 5, 0, 5, 0),
                (Some("auth"), 108, 100, 8, 0),
                (Some("checkout"), 45, 5, 0, 40),
                (Some("gone"), 2, 0, 2, 0)
            ]
        );
        assert_eq!(accounts[1].rejected_by.iter().map(|by| by.count).collect::<Vec<_>>(), [5, 3]);
        assert_eq!(accounts[2].dropped_by, BTreeMap::from([("queue_full".to_owned(), 30)]));
    }

    #[test]
    fn the_questions_can_be_asked() {
        for text in [STORED, REPORTED] {
            assert_eq!(query::parse(text).unwrap().stages.len(), 1, "{text}");
        }
    }
}
