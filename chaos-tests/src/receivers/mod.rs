//! Receivers of alerts, as the tests stand for them: real sockets that keep what they were sent, and when.

mod http;
mod mail;

pub use http::{HttpReceiver, Mood, Received};
pub use mail::{Mail, MailServer};
