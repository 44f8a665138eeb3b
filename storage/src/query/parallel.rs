//! Work on all cores, where there is enough of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::error::QueryError;
use crate::column_source::ColumnSource;

/// Fewer rows than this are not worth a second thread.
pub(super) const ROWS_PER_THREAD: usize = 32_768;

/// What workers on all cores make of the sources, each of those it takes, put together; and how many records of them were
/// meant. `take_in` adds a source to a worker's part and says how many records of it are meant.
pub(super) fn fold<S: ColumnSource, P: Default + Send>(
    sources: &[S],
    take_in: impl Fn(&mut P, &S) -> Result<u64, QueryError> + Sync,
    merge: impl Fn(&mut P, P) -> Result<(), QueryError>,
) -> Result<(P, u64), QueryError> {
    let next = AtomicUsize::new(0);
    // A worker takes sources until none is left.
    let work = || -> Result<(P, u64), QueryError> {
        let (mut part, mut matched) = (P::default(), 0);
        while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
            matched += take_in(&mut part, source)?;
        }
        Ok((part, matched))
    };
    let rows: usize = sources.iter().map(ColumnSource::rows).sum();
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
