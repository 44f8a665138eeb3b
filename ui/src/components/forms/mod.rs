//! Parts of forms: fields with label, hint and error, lists of values, dialogs, and what sends them.
//!
//! A field knows itself whether it is at fault: [`form::Form`] tells all fields in it.

pub mod check;
pub mod confirm;
pub mod dialog;
pub mod draft_input;
pub mod field;
pub mod form;
pub mod pairs;
pub mod values;
