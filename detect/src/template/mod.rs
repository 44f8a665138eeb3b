//! What kind of message a message is: variable parts masked, the rest grouped by Drain (He, Zhu, Zheng, Lyu 2017).

mod mask;
mod masks;
mod memory;
mod miner;
mod words;

pub use mask::{MASK, masked};
pub use masks::{MASKS_MAX, MaskError, Masks};
pub use miner::{Miner, OVERFLOW, TEMPLATES_MAX, Template};
pub use words::text_of;
