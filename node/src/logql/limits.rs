//! Bounds on a query's text, beside those of our own language: they bound recursion and the work per record.

/// Nesting of parentheses and calls.
pub(super) const DEPTH_MAX: usize = 32;
/// Operators between metrics, and conditions joined by `and`, `or` and commas, in the whole query. A chain of them is as deep
/// a tree.
pub(super) const OPERATORS_MAX: usize = 128;
/// Stages of one pipeline.
pub(super) const STAGES_MAX: usize = 64;
/// Names and texts of one list.
pub(super) const LIST_MAX: usize = 64;
/// Metrics that are asked of the records one by one.
pub(super) const RANGES_MAX: usize = 20;
