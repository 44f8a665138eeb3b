//! A metric: its range aggregations asked of the records, and what is made of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use insighthub_storage::query::Conditions;
use insighthub_storage::query::exploring::{Wanted, WantedFields};

use super::super::ApiError;
use super::asked::Span;
use super::asking::{Asking, conditions};
use super::error::LokiError;
use super::limits::{LOOKED_AT_MAX, PAGE_RECORDS, SERIES_MAX};
use crate::logql::ast::Metric;
use crate::logql::labels::{Meaning, fields_of, meaning};
use crate::logql::metric::{
    Evaluated, Matrix, RangePlan, Sampled, Samples, Steps, Way, evaluate, plan, unwrapped_labels,
};
use insighthub_model::query::Expression;

/// Works out a metric at the steps.
pub(super) async fn work_out(
    asking: &mut Asking,
    metric: &Metric,
    steps: Steps,
) -> Result<Evaluated, LokiError> {
    let fields = unwrapped_fields(asking, metric, steps).await?;
    let known = |label: &str| fields.get(label).cloned().unwrap_or_else(|| fields_of(label));
    let plans = plan(metric, steps, &known).map_err(LokiError::bad_query)?;
    let mut matrices = Vec::new();
    for plan in plans {
        matrices.push(of_range(asking, plan).await?);
    }
    let metric = metric.clone();
    // Joining thousands of series is no work for a thread that others wait for.
    let working =
        tokio::task::spawn_blocking(move || evaluate(&metric, steps.count, &mut matrices.into_iter()));
    let evaluated =
        working.await.map_err(|error| ApiError::internal(&error))?.map_err(LokiError::bad_query)?;
    if let Evaluated::Series(series) = &evaluated
        && series.len() > SERIES_MAX
    {
        return Err(LokiError::over_budget(format!(
            "the answer would have {} series, more than {SERIES_MAX}: sum by fewer or coarser labels, or use topk",
            series.len()
        )));
    }
    Ok(evaluated)
}

async fn of_range(asking: &mut Asking, plan: RangePlan) -> Result<Matrix, LokiError> {
    let span = Span { from: plan.windows.first(), to: plan.windows.last().saturating_add(1) };
    let conditions = conditions(plan.filter, span)?;
    match plan.way {
        Way::Groups(range) => {
            let table = asking.groups(&conditions, range.grouping.clone()).await?;
            let making = tokio::task::spawn_blocking(move || range.matrix(&table));
            making.await.map_err(|error| ApiError::internal(&error))?.map_err(LokiError::over_budget)
        }
        Way::Lines(sampled) => of_lines(asking, &conditions, Arc::new(*sampled)).await,
    }
}

/// Every record is looked at here, up to a bound.
async fn of_lines(
    asking: &mut Asking,
    conditions: &Conditions,
    sampled: Arc<Sampled>,
) -> Result<Matrix, LokiError> {
    let (mut samples, mut looked_at, mut after) = (Samples::default(), 0, None);
    loop {
        let page = asking.page(conditions, PAGE_RECORDS, after).await?;
        after = page.next_cursor();
        looked_at += page.records.len();
        let of_page = Arc::clone(&sampled);
        let taking = tokio::task::spawn_blocking(move || {
            page.records.iter().for_each(|record| of_page.take_in(record, &mut samples));
            samples
        });
        samples = taking.await.map_err(|error| ApiError::internal(&error))?;
        if after.is_none() {
            break;
        }
        if looked_at >= LOOKED_AT_MAX {
            return Err(LokiError::over_budget(format!(
                "the query takes the lines of more than {LOOKED_AT_MAX} records: narrow the selector, the line filters or the time \
                 range, or leave out parsers where the label is a field of the record"
            )));
        }
    }
    let making = tokio::task::spawn_blocking(move || sampled.matrix(samples));
    making.await.map_err(|error| ApiError::internal(&error))?.map_err(LokiError::over_budget)
}

/// Which fields the unwrapped labels are, where a label may be more than one.
async fn unwrapped_fields(
    asking: &mut Asking,
    metric: &Metric,
    steps: Steps,
) -> Result<BTreeMap<String, Vec<String>>, LokiError> {
    let labels = unwrapped_labels(metric).into_iter();
    let open: Vec<String> =
        labels.filter(|label| matches!(meaning(label), Meaning::Fields(names) if names.len() > 1)).collect();
    if open.is_empty() {
        return Ok(BTreeMap::new());
    }
    let known = |_: &str| Vec::new();
    let plans = plan(metric, steps, &known).map_err(LokiError::bad_query)?;
    let from = plans.iter().map(|plan| plan.windows.first()).min().unwrap_or(steps.start);
    let to = plans.iter().map(|plan| plan.windows.last()).max().unwrap_or(steps.start).saturating_add(1);
    let conditions = conditions(Expression::All, Span { from, to })?;
    let names = open.iter().flat_map(|label| fields_of(label)).collect();
    let fields = Some(WantedFields { names, values_max: 1 });
    let seen = asking.explore(&conditions, Wanted { fields, ..Wanted::default() }).await?;
    let found = open.into_iter().map(|label| {
        let names = fields_of(&label).into_iter();
        let names: Vec<String> = names.filter(|name| seen.fields.fields.contains_key(name)).collect();
        // None has it: nothing comes of it, whatever it is called.
        let names = if names.is_empty() { vec![label.clone()] } else { names };
        (label, names)
    });
    Ok(found.collect())
}
