//! What the Admin page is made of.

pub mod once;
pub mod tables;
