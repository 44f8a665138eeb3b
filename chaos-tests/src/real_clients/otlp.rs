//! Clients that speak OTLP: attributes are fields and keep their types.

use super::client::{Client, OnFailure, Package, Program};
use super::expected::Expected;
use super::sent::{Sent, Shape};

pub(super) fn clients() -> Vec<Client> {
    let client = |name, program, package, expect| Client {
        name,
        page: "opentelemetry.md",
        program,
        shape: Shape::Any,
        expect,
        on_failure: OnFailure::Retries,
        package,
    };
    let (python, javascript) = (Program::Python("otel.py"), Program::JavaScript("otel.mjs"));
    let of_python: fn(&Sent) -> Expected = from_python;
    let of_javascript: fn(&Sent) -> Expected = from_javascript;
    vec![
        client(
            "otel-python-http",
            python,
            Package::PyPi("opentelemetry-exporter-otlp-proto-http"),
            of_python,
        ),
        client(
            "otel-python-grpc",
            python,
            Package::PyPi("opentelemetry-exporter-otlp-proto-grpc"),
            of_python,
        ),
        client(
            "otel-js-http",
            javascript,
            Package::Npm("@opentelemetry/exporter-logs-otlp-http"),
            of_javascript,
        ),
        client(
            "otel-js-proto",
            javascript,
            Package::Npm("@opentelemetry/exporter-logs-otlp-proto"),
            of_javascript,
        ),
        Client {
            // The one of them that does not try again.
            on_failure: OnFailure::Loses,
            ..client(
                "otel-js-grpc",
                javascript,
                Package::Npm("@opentelemetry/exporter-logs-otlp-grpc"),
                of_javascript,
            )
        },
        client(
            "pino-opentelemetry-transport",
            Program::JavaScript("pino.mjs"),
            Package::Npm("pino-opentelemetry-transport"),
            from_pino,
        ),
    ]
}

fn from_python(sent: &Sent) -> Expected {
    let expected = Expected::of(sent).with(sent.typed_fields("."));
    match &sent.exception {
        None => expected,
        Some(exception) => expected
            .field("exception.type", "ValueError")
            .field("exception.message", exception.as_str())
            .containing("exception.stacktrace", "raise ValueError(record[\"exception\"])"),
    }
}

fn from_javascript(sent: &Sent) -> Expected {
    let expected = Expected::of(sent).at(sent).with(sent.typed_fields("."));
    match &sent.exception {
        None => expected,
        Some(exception) => expected
            .field("exception.type", "TypeError")
            .field("exception.message", exception.as_str())
            .containing("exception.stacktrace", "records.mjs"),
    }
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
