//! Clients that exist, as their users install and configure them, against a cluster of real nodes.
//!
//! What is configured is read from `docs/clients/`, so that what people copy is what is tested. Knows what each client makes of a
//! record, and nothing of how a node takes it.

pub mod client;
pub mod command;
pub mod configuration;
pub mod delivered;
mod elasticsearch;
pub mod expected;
mod journal;
mod loki;
mod otlp;
pub mod place;
mod programs;
pub mod relay;
pub mod running;
pub mod sent;
mod splunk;
mod syslog;
pub mod table;
pub mod tools;
pub mod trial;

use self::client::Client;

/// Every client that is tested.
pub fn clients() -> Vec<Client> {
    [
        otlp::clients(),
        loki::clients(),
        elasticsearch::clients(),
        splunk::clients(),
        syslog::clients(),
        journal::clients(),
    ]
    .concat()
}
