//! Parts of the Explore page: facets, conditions, groups, patterns, findings.

pub mod condition_chips;
pub mod facets;
pub mod group_controls;
pub mod paired_bars;
pub mod pattern_text;
pub mod record_table;
pub mod top_list;
pub mod value_table;
