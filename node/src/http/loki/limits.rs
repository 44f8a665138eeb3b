//! Bounds on what one question may take, beside those of every query.

use std::time::Duration;

/// A query that takes longer is stopped with an error that says how to narrow it.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);
/// Lines where nothing is said.
pub(super) const LINES_DEFAULT: usize = 100;
/// Lines of one answer: what Loki allows as well.
pub(super) const LINES_MAX: usize = 5_000;
/// Records that are looked at one by one on this node, for one question: what takes more must be narrowed.
pub(super) const LOOKED_AT_MAX: usize = 250_000;
/// Records fetched at once while they are looked at one by one.
pub(super) const PAGE_RECORDS: usize = 5_000;
/// Values of a label, and series, in one answer.
pub(super) const LISTED_MAX: usize = 10_000;
/// Series of one answer to a metric.
pub(super) const SERIES_MAX: usize = 5_000;
/// Records whose lines are looked at for what they hold.
pub(super) const SAMPLE_RECORDS: usize = 1_000;
/// Patterns in one answer, the most frequent.
pub(super) const PATTERNS_MAX: usize = 300;
