//! Parts of Analytics: incidents and why they are some.

pub mod episode_card;
pub mod explanation;
pub mod verdict;
