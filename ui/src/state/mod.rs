//! Everything the pages know, as pure reducers: no browser, no network, no clock. Time comes in as an
//! argument, so every test runs on the host.

pub mod admin;
pub mod alerts;
pub mod analytics;
pub mod answer;
pub mod cluster;
pub mod cluster_rate;
pub mod columns;
pub mod conditions;
pub mod connection;
pub mod dead_letters;
pub mod explore;
pub mod filter;
pub mod format;
pub mod forms;
pub mod highlights;
pub mod home;
pub mod lines;
pub mod live;
pub mod login;
pub mod offers;
pub mod page;
pub mod peers;
pub mod query_check;
pub mod range;
pub mod search;
pub mod stream;
pub mod theme;
pub mod url;
pub mod window;
