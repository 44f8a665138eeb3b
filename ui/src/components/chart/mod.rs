//! Charts: small drawings of our own in SVG. They are given numbers and report what the reader points at.

pub mod axis;
pub mod heatmap;
pub mod histogram;
mod histogram_drawing;
mod histogram_table;
pub mod line_plot;
pub mod line_words;
pub mod lines;
pub mod scale;
pub mod series;
pub mod sparkline;
pub mod stacked_bars;
