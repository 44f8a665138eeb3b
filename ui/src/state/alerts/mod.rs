//! The Alerts page: what it shows, its forms, its words and its timeline.

pub mod channel_form;
pub mod condition_form;
pub mod rule_form;
pub mod silence_form;
pub mod timeline;
pub mod view;
pub mod words;
