//! What kind of message a message is: variable parts masked, the rest grouped by Drain (He, Zhu, Zheng, Lyu 2017).

mod mask;
mod miner;

pub use mask::{MASK, masked};
pub use miner::{Miner, OVERFLOW, TEMPLATES_MAX, Template};
