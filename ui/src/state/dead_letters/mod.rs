//! The dead letters page: what it shows, the list, why records were refused, and where in them the fault lies.

pub mod fault;
pub mod list;
pub mod reasons;
pub mod view;
