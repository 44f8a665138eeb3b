//! Messages as templates and variables: cutting a column of messages, and its form on disk.
//!
//! What may stand in a slot is promised in [`crate::column_source::Messages`]; search relies on it.

mod cutting;
mod decoding;
mod encoding;
mod tokens;

pub(super) use cutting::{Draft, cut};
pub(super) use decoding::{
    HeldMessages, PLAIN, TEMPLATED, decode_messages, decode_variable, decode_variables,
};
pub(crate) use tokens::for_each_variable;

#[cfg(test)]
mod tests;
