//! Pages compose components, hold the reducers and ask the network; they draw little themselves.

pub mod app;
mod cluster;
mod dead_letters;
mod live;
mod record_browser;
mod search_view;
mod session;
mod stream_source;
mod stream_view;
