//! Parts of the Explore page: facets, conditions, groups, patterns, findings.

pub mod condition_chips;
pub mod facets;
pub mod paired_bars;
pub mod pattern_text;
