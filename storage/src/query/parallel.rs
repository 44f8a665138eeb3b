//! Work on all cores, where there is enough of it.

use parking_lot::Mutex;

/// Fewer rows than this are not worth a second thread.
pub(super) const ROWS_PER_THREAD: usize = 32_768;

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
