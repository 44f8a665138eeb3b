//! Charts: small drawings of our own in SVG. They are given numbers and report what the reader points at.

pub mod scale;
pub mod sparkline;
