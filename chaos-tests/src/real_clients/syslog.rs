//! Clients that speak syslog: severity is the level, parameters of structured data are fields.

use super::client::{Client, OnFailure, Package, Program};
use super::expected::Expected;
use super::sent::{Sent, Shape};

pub(super) fn clients() -> Vec<Client> {
    let client = |name, program, package, shape, expect| Client {
        name,
        page: "syslog.md",
        program,
        shape,
        expect,
        // What the kernel has taken is sent, as far as the protocol knows.
        on_failure: OnFailure::Loses,
        package,
    };
    let (any, lines) = (Shape::Any, Shape::SingleLines);
    let (rsyslog, syslog_ng, logger) =
        (Package::Debian("rsyslog"), Package::Debian("syslog-ng-core"), Package::Debian("bsdutils"));
    let logged: fn(&Sent) -> Expected = logged;
    vec![
        client("rsyslog-rfc5424", Program::Rsyslog, rsyslog, any, logged),
        client("rsyslog-rfc3164", Program::Rsyslog, rsyslog, any, escaped),
        client("rsyslog-tls", Program::Rsyslog, Package::Debian("rsyslog-gnutls"), any, logged),
        client("rsyslog-udp", Program::Rsyslog, rsyslog, any, escaped),
        client("syslog-ng-syslog", Program::SyslogNg, syslog_ng, any, logged),
        client("syslog-ng-network", Program::SyslogNg, syslog_ng, lines, logged),
        client("logger-tcp", Program::Shell, logger, lines, line),
        client("logger-rfc3164", Program::Shell, logger, lines, line),
        client("logger-udp", Program::Shell, logger, lines, line),
        client(
            "rfc5424-logging-handler",
            Program::Python("rfc5424.py"),
            Package::PyPi("rfc5424-logging-handler"),
            any,
            with_data,
        ),
    ]
}

/// What a program on the machine logs to a daemon.
fn logged(sent: &Sent) -> Expected {
    Expected::formatted(sent)
        .field("proc_id", "4242")
        .field("facility", "user")
        .field("severity", severity(sent))
}

fn severity(sent: &Sent) -> &'static str {
    match sent.level {
        "fatal" => "crit",
        "error" => "err",
        "warn" => "warning",
        "debug" => "debug",
        _ => "info",
    }
}

/// The lines that a command was given.
fn line(sent: &Sent) -> Expected {
    Expected::of(sent).field("facility", "user").field("severity", severity(sent))
}

/// rsyslog writes control characters as `#` and three octal digits.
fn escaped(sent: &Sent) -> Expected {
    let mut expected = logged(sent);
    expected.message = expected.message.replace('\n', "#012").replace('\t', "#011");
    expected
}

fn with_data(sent: &Sent) -> Expected {
    let fields = sent.text_fields("_").into_iter();
    let fields = fields.map(|(name, value)| (format!("order@32473.{name}"), value)).collect();
    Expected::formatted(sent).with(fields).field("msg_id", "order").field("severity", severity(sent))
}
