//! Work on all cores, where there is enough of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::ahead::Ahead;
use super::budget::Spending;
use super::error::QueryError;
use super::filter::Filter;
use super::watched::Watched;
use crate::column_source::ColumnSource;

/// Fewer rows than this are not worth a second thread.
pub(super) const ROWS_PER_THREAD: usize = 32_768;

/// What workers on all cores make of the sources, each of those it takes, put together; and how many records of them were
/// meant by the filter. `take_in` adds a source to a worker's part and says how many records of it are meant.
pub(super) fn fold<P: Default + Send>(
    sources: &[Watched<'_>],
    filter: &Filter,
    spending: &Spending<'_>,
    take_in: impl Fn(&mut P, &Watched<'_>) -> Result<u64, QueryError> + Sync,
    merge: impl Fn(&mut P, P) -> Result<(), QueryError>,
) -> Result<(P, u64), QueryError> {
    let sources: Vec<&Watched<'_>> = sources.iter().collect();
    let (next, ahead) = (AtomicUsize::new(0), Ahead::new(&sources, filter));
    // A worker takes sources until none is left.
    let work = || -> Result<(P, u64), QueryError> {
        let (mut part, mut matched) = (P::default(), 0);
        ahead.announce_words();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(source) = sources.get(at) else { return Ok((part, matched)) };
            ahead.turn_to(at, &spending.asked);
            matched += take_in(&mut part, source)?;
        }
    };
    let rows: usize = sources.iter().map(|source| source.rows()).sum();
    let (mut whole, mut matched) = (P::default(), 0);
    for part in on_threads(threads(rows, sources.len()), work) {
        let (part, count) = part?;
        merge(&mut whole, part)?;
        matched += count;
    }
    Ok((whole, matched))
}

/// Does the work on so many threads, this one among them; what each made of it.
pub(super) fn on_threads<T: Send>(threads: usize, work: impl Fn() -> T + Sync) -> Vec<T> {
    let made = Mutex::new(Vec::with_capacity(threads));
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| {
                let part = work();
                made.lock().push(part);
            });
        }
        let part = work();
        made.lock().push(part);
    });
    made.into_inner()
}

/// As many as there are cores, where there is work for them.
pub(super) fn threads(rows: usize, sources: usize) -> usize {
    if crate::simulation::is_on() {
        return 1;
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores.min(sources).min(rows.div_ceil(ROWS_PER_THREAD)).max(1)
}
