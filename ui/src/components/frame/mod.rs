//! What stands around every page: navigation, the line above, dialogs.

pub mod connection_pill;
pub mod help_dialog;
pub mod icon;
pub mod login_dialog;
pub mod navigation;
pub mod top_line;
