//! Numbers over time, and what was unusual: what the Analytics page shows, and what charts of it are made of.

pub mod grid;
pub mod heat;
pub mod places;
pub mod series;
pub mod view;
