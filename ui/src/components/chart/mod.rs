//! Charts: small drawings of our own in SVG. They are given numbers and report what the reader points at.

pub mod histogram;
mod histogram_drawing;
mod histogram_table;
pub mod scale;
pub mod sparkline;
