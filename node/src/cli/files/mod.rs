//! What files hold, as records in the form that a node takes: for commands that send files.
//!
//! What is read is in `records` and what it becomes in `shaping`; `delivery` brings it to a node, `state_file` keeps how far
//! a command has come.

pub(crate) mod array;
pub(crate) mod delivery;
pub(crate) mod form;
pub(crate) mod input;
pub(crate) mod lines;
pub(crate) mod members;
pub(crate) mod moment_format;
pub(crate) mod records;
pub(crate) mod separated;
pub(crate) mod shaping;
pub(crate) mod shaping_args;
pub(crate) mod state_file;
pub(crate) mod values;
