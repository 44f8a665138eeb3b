//! Looks into the sources on all cores.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::sampling::thin;
use super::{Seen, Wanted};
use crate::column_source::ColumnSource;
use crate::query::budget::{Budget, Spending};
use crate::query::error::QueryError;
use crate::query::filter::Filter;
use crate::query::pipeline::Counts;
use crate::query::pipeline::gather::{counts_of, threads, wanted_rows};

/// What there is in the records the filter means, of the sources of one replica or of several.
pub fn explore(
    sources: &[&dyn ColumnSource],
    filter: &Filter,
    wanted: &Wanted,
    budget: &Budget<'_>,
) -> Result<(Seen, Counts), QueryError> {
    let next = AtomicUsize::new(0);
    // A worker takes sources until none is left; the budget of all of them is that of each.
    let work = || -> Result<(Seen, Counts), QueryError> {
        let (mut seen, mut counts) = (Seen::default(), Counts::default());
        let mut spending = Spending::new(budget);
        while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(mut rows) = wanted_rows(*source, filter, &mut spending)? {
                counts.matched_records += rows.count() as u64;
                thin(*source, &mut rows, wanted.one_in)?;
                if !rows.is_empty() {
                    seen.take_in(*source, &rows, wanted)?;
                }
            }
        }
        counts.add(counts_of(&spending));
        Ok((seen, counts))
    };
    let results = Mutex::new(Vec::new());
    let rows: usize = sources.iter().map(|source| source.rows()).sum();
    std::thread::scope(|scope| {
        for _ in 1..threads(rows, sources.len()) {
            scope.spawn(|| results.lock().push(work()));
        }
        let mine = work();
        results.lock().push(mine);
    });
    let (mut seen, mut counts) = (Seen::default(), Counts::default());
    for result in results.into_inner() {
        let (part, cost) = result?;
        seen.merge(part, wanted)?;
        counts.add(cost);
    }
    Ok((seen, counts))
}
