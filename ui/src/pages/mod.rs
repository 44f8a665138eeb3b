//! Pages compose: they hold state, ask the network and lay out components.

mod admin;
mod alerts;
mod analytics;
pub mod app;
mod cluster;
mod dead_letters;
#[cfg(debug_assertions)]
mod dev;
mod explore;
mod home;
mod live;
mod record_browser;
mod session;
