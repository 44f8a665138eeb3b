//! Clients that push to Loki: labels are fields, and a line that is JSON is a record of its own.

use super::client::{Client, OnFailure, Package, Program};
use super::expected::Expected;
use super::sent::{Sent, Shape};

pub(super) fn clients() -> Vec<Client> {
    let client = |name, program, package, expect, on_failure| Client {
        name,
        page: "loki.md",
        program,
        shape: Shape::Any,
        expect,
        on_failure,
        package,
    };
    let from_python: fn(&Sent) -> Expected = from_python;
    vec![
        client(
            "python-logging-loki",
            Program::Python("loki.py"),
            Package::PyPi("python-logging-loki"),
            from_python,
            OnFailure::Loses,
        ),
        client(
            "pino-loki",
            Program::JavaScript("pino.mjs"),
            Package::Npm("pino-loki"),
            from_pino,
            OnFailure::Loses,
        ),
        client(
            "winston-loki",
            Program::JavaScript("winston.mjs"),
            Package::Npm("winston-loki"),
            from_winston,
            // In other batches than those in which it was sent first.
            OnFailure::Retries,
        ),
        client(
            "syslog-ng-loki",
            Program::SyslogNg,
            Package::Debian("syslog-ng-mod-http"),
            from_syslog_ng,
            OnFailure::Retries,
        ),
    ]
}

fn from_python(sent: &Sent) -> Expected {
    Expected::formatted(sent).with(sent.text_fields("_"))
}

fn from_pino(sent: &Sent) -> Expected {
    let expected = Expected::of(sent).with(sent.typed_fields("."));
    match &sent.exception {
        None => expected,
        Some(exception) => expected
            .field("err.type", "TypeError")
            .field("err.message", exception.as_str())
            .containing("err.stack", "records.mjs"),
    }
}

/// winston has no level above error.
fn from_winston(sent: &Sent) -> Expected {
    let mut expected = Expected::of(sent).with(sent.typed_fields("."));
    if sent.level == "fatal" {
        expected.level = "ERROR".to_owned();
    }
    match &sent.exception {
        None => expected,
        Some(exception) => expected.containing("stack", &format!("TypeError: {exception}")),
    }
}

fn from_syslog_ng(sent: &Sent) -> Expected {
    Expected::formatted(sent)
}
