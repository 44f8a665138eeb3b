//! Records: the list, a row, one record in full, and what is typed to find them.

pub mod cells;
pub mod column_heads;
pub mod copy_button;
pub mod coverage_line;
pub mod field_list;
pub mod filter_bar;
pub mod level_badge;
pub mod record_actions;
pub mod record_details;
pub mod record_list;
pub mod record_row;
pub mod search_box;
pub mod stream_bar;
pub mod suggestion_list;
