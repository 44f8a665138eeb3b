//! Parts of the screen. They draw what they are given and report what the reader does.

pub mod cluster_tables;
pub mod cluster_troubles;
pub mod connection_pill;
pub mod coverage_line;
pub mod dead_letter_row;
pub mod filter_bar;
pub mod header;
pub mod help_dialog;
pub mod level_badge;
pub mod login_dialog;
pub mod notice;
pub mod record_details;
pub mod record_list;
pub mod record_row;
pub mod replay_outcome;
pub mod search_box;
pub mod stream_bar;
