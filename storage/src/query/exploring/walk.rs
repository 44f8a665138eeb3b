//! Looks into the sources on all cores.

use super::heat_by_minute::HeatByMinute;
use super::sampling::thin;
use super::{Seen, Wanted};
use crate::column_source::ColumnSource;
use crate::query::budget::{Budget, Spending};
use crate::query::effort::Step;
use crate::query::error::QueryError;
use crate::query::filter::Filter;
use crate::query::parallel::fold;
use crate::query::pipeline::Counts;
use crate::query::pipeline::gather::{counts_of, wanted_rows};
use crate::query::watched::Watched;

/// What there is in the records the filter means, of the sources of one replica or of several.
pub fn explore(
    sources: &[&dyn ColumnSource],
    filter: &Filter,
    wanted: &Wanted,
    budget: &Budget<'_>,
) -> Result<(Seen, Counts), QueryError> {
    let spending = Spending::new(budget);
    let sources = Watched::all(sources, &spending);
    let by_minute = HeatByMinute::of(filter, wanted);
    let take_in = |seen: &mut Seen, source: &Watched<'_>| {
        if let Some(by_minute) = &by_minute
            && let Some(matched) =
                spending.timed(source, Step::Aggregate, || by_minute.take_in(seen, source, &spending))?
        {
            return Ok(matched);
        }
        let Some(mut rows) = wanted_rows(source, filter, &spending)? else { return Ok(0) };
        let matched = rows.count() as u64;
        thin(source, &mut rows, wanted.one_in)?;
        if !rows.is_empty() {
            spending.timed(source, Step::Aggregate, || seen.take_in(source, &rows, wanted))?;
        }
        Ok(matched)
    };
    let (seen, matched) = fold(&sources, filter, &spending, take_in, |seen, part| seen.merge(part, wanted))?;
    Ok((seen, counts_of(&spending, matched)))
}
