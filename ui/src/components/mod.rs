//! Parts of the screen. They draw what they are given and report what the reader does.

pub mod admin;
pub mod alerts;
pub mod analytics;
pub mod chart;
pub mod choice;
pub mod cluster;
pub mod dead_letters;
pub mod explore;
pub mod forms;
pub mod frame;
pub mod home;
pub mod link;
pub mod menu;
pub mod moment;
pub mod notice;
pub mod records;
pub mod share_bar;
pub mod states;
pub mod time_picker;
