//! What is known of one client: where its configuration stands, how it is run, what it makes of a record.

use super::expected::Expected;
use super::sent::{Sent, Shape};

/// One client in one configuration.
#[derive(Debug, Clone)]
pub struct Client {
    /// Names its block in the documentation.
    pub name: &'static str,
    /// The page of its block, below `docs/clients/`.
    pub page: &'static str,
    pub program: Program,
    pub shape: Shape,
    /// What a record must have become.
    pub expect: fn(&Sent) -> Expected,
    pub on_failure: OnFailure,
    /// The packages whose versions the documentation names.
    pub package: Package,
}

/// How a client is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// A script that imports the block as `setup`.
    Python(&'static str),
    JavaScript(&'static str),
    /// A daemon with the block in its configuration; a Python program logs to its socket.
    Rsyslog,
    SyslogNg,
    /// A command that reads lines.
    Shell,
    /// `systemd-journal-upload` on a journal that is made for it.
    Journal,
}

/// What a client does with what could not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Tries again until it is taken, long enough for a node to be replaced by another.
    Retries,
    /// Some of it is gone: the client, or its protocol, does not notice in time.
    Loses,
}

/// What was installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Package {
    PyPi(&'static str),
    Npm(&'static str),
    Debian(&'static str),
}
