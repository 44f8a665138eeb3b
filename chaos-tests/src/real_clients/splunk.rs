//! Clients that send to Splunk's HTTP event collector: an event is a text, or an object.

use super::client::{Client, OnFailure, Package, Program};
use super::expected::Expected;
use super::sent::{Sent, Shape};

const PAGE: &str = "splunk.md";

pub(super) fn clients() -> Vec<Client> {
    vec![
        Client {
            name: "splunk-handler",
            page: PAGE,
            program: Program::Python("splunk.py"),
            shape: Shape::Any,
            expect: from_python,
            on_failure: OnFailure::Retries,
            package: Package::PyPi("splunk-handler"),
        },
        Client {
            name: "winston-splunk-httplogger",
            page: PAGE,
            program: Program::JavaScript("winston_splunk.mjs"),
            shape: Shape::Any,
            expect: from_winston,
            // An answer that refuses is told to the application, and that was it.
            on_failure: OnFailure::Loses,
            package: Package::Npm("winston-splunk-httplogger"),
        },
    ]
}

/// The level stands in the text alone.
fn from_python(sent: &Sent) -> Expected {
    let level = match sent.level {
        "warn" => "WARNING".to_owned(),
        "fatal" => "CRITICAL".to_owned(),
        other => other.to_uppercase(),
    };
    let expected = Expected::formatted(sent);
    Expected { message: format!("{level} {}", sent.message), ..expected }
}

/// Splunk's own logger puts message and fields into an object; winston has no level above error.
fn from_winston(sent: &Sent) -> Expected {
    let fields = sent.typed_fields(".").into_iter();
    let fields = fields.map(|(name, value)| (format!("message.meta.{name}"), value)).collect();
    let mut expected = Expected::of(sent).with(fields);
    if sent.level == "fatal" {
        expected.level = "ERROR".to_owned();
    }
    match &sent.exception {
        None => expected,
        Some(exception) => expected.containing("message.meta.stack", &format!("TypeError: {exception}")),
    }
}
