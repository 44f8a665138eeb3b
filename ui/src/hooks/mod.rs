//! What components share with each other and with the browser: questions under way, the address, the account, keys, the clock.

pub mod address;
pub mod answer;
pub mod app;
pub mod keys;
pub mod now;
pub mod sending;
pub mod services;
pub mod width;
