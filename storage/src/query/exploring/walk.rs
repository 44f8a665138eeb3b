//! Looks into the sources on all cores.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::sampling::thin;
use super::{Seen, Wanted};
use crate::column_source::ColumnSource;
use crate::query::budget::{Budget, Spending};
use crate::query::effort::Step;
use crate::query::error::QueryError;
use crate::query::filter::Filter;
use crate::query::parallel::{on_threads, threads};
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
    let next = AtomicUsize::new(0);
    // A worker takes sources until none is left.
    let work = || -> Result<(Seen, u64), QueryError> {
        let (mut seen, mut matched) = (Seen::default(), 0);
        while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(mut rows) = wanted_rows(source, filter, &spending)? {
                matched += rows.count() as u64;
                thin(source, &mut rows, wanted.one_in)?;
                if !rows.is_empty() {
                    spending.timed(source, Step::Aggregate, || seen.take_in(source, &rows, wanted))?;
                }
            }
        }
        Ok((seen, matched))
    };
    let rows: usize = sources.iter().map(|source| source.rows()).sum();
    let (mut seen, mut matched) = (Seen::default(), 0);
    for part in on_threads(threads(rows, sources.len()), work) {
        let (part, count) = part?;
        seen.merge(part, wanted)?;
        matched += count;
    }
    Ok((seen, counts_of(&spending, matched)))
}
