//! What components share with each other and with the browser: questions under way, the address, the account, keys, the clock.

pub mod address;
pub mod answer;
pub mod app;
mod compared;
pub mod effect;
pub mod keys;
pub mod memo;
pub mod now;
pub mod sending;
pub mod services;
pub mod state;
pub mod width;
