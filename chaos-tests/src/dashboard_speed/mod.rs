//! How fast the dashboard is for who looks at it, measured in a real browser against a real node.
//!
//! Figures, not limits: what one machine shows says little of another. What is aimed at stands beside each figure.

pub mod delay;
pub mod figures;
pub mod live;
pub mod paint;
