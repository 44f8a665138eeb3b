//! The Admin page: what it shows, and its forms.

pub mod audit;
pub mod deletion_form;
pub mod retention_form;
pub mod token_form;
pub mod view;
