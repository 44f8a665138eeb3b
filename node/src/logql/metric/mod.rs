//! Numbers over time: at which moments, of which records, and what is made of them. Pure: records and groups come from the
//! caller.

mod aggregation;
mod binary;
mod evaluate;
mod grouped;
mod plan;
mod range_function;
mod relabel;
mod sampled;
mod series;
mod steps;
mod windows;

pub use evaluate::{Evaluated, evaluate};
pub use grouped::{CountedBy, Grouped, GroupedRange, counted_by, counted_over};
pub use plan::{RangePlan, Way, plan, unwrapped_labels};
pub use sampled::{Sampled, Samples};
pub use series::{Matrix, Series};
pub use steps::{STEPS_MAX, Steps};
pub use windows::{Buckets, Windows};

#[cfg(test)]
mod tests;
