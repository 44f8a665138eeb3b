//! Clients of Elasticsearch: a document is a record.

use super::client::{Client, OnFailure, Package, Program};
use super::expected::Expected;
use super::sent::{Sent, Shape};

pub(super) fn clients() -> Vec<Client> {
    let client = |name, program, package, expect| Client {
        name,
        page: "elasticsearch.md",
        program,
        shape: Shape::Any,
        expect,
        on_failure: OnFailure::Retries,
        package,
    };
    let from_python: fn(&Sent) -> Expected = from_python;
    vec![
        client(
            "elasticsearch-py",
            Program::Python("elastic.py"),
            Package::PyPi("elasticsearch"),
            from_python,
        ),
        client(
            "elasticsearch-js",
            Program::JavaScript("elastic.mjs"),
            Package::Npm("@elastic/elasticsearch"),
            from_javascript,
        ),
        client(
            "pino-elasticsearch",
            Program::JavaScript("pino_stream.mjs"),
            Package::Npm("pino-elasticsearch"),
            from_pino,
        ),
        client(
            "rsyslog-elasticsearch",
            Program::Rsyslog,
            Package::Debian("rsyslog-elasticsearch"),
            from_daemon,
        ),
        client(
            "syslog-ng-elasticsearch",
            Program::SyslogNg,
            Package::Debian("syslog-ng-mod-http"),
            from_daemon,
        ),
    ]
}

fn document(sent: &Sent, kind: &str) -> Expected {
    let expected = Expected::of(sent).at(sent).with(sent.typed_fields("."));
    match &sent.exception {
        None => expected,
        Some(exception) => expected
            .field("error.type", kind)
            .field("error.message", exception.as_str())
            .containing("error.stack_trace", exception),
    }
}

fn from_python(sent: &Sent) -> Expected {
    document(sent, "ValueError")
}

fn from_javascript(sent: &Sent) -> Expected {
    document(sent, "TypeError")
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

/// What a daemon forwards is what its template names.
fn from_daemon(sent: &Sent) -> Expected {
    Expected::formatted(sent)
}
