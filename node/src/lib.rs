//! The node: command line, configuration, boot, HTTP edge, protocol adapters.

pub mod access;
mod backup;
pub mod boot;
pub mod cli;
pub mod config;
pub mod http;
pub mod ingest;
pub mod logging;
pub mod logql;
mod maintenance;
mod membership;
mod memory;
mod open_files;
mod own_work;
pub mod private;
mod serving;
mod syslog;
mod system_clock;
