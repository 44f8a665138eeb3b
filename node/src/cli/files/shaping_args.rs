//! What a person says about the records of files: which of their fields mean what, and what is added.

use clap::Args;
use regex::Regex;
use xxhash_rust::xxh3::xxh3_64;

use super::moment_format::MomentFormat;
use super::values;
use crate::cli::error::CliError;

/// Patterns of log files that many have, by name: where times are read by a form, it stands beside.
const KNOWN_PATTERNS: [(&str, &str, &str); 2] = [
    (
        "combined",
        r#"^(?P<client>\S+) \S+ (?P<user>\S+) \[(?P<timestamp>[^\]]+)\] "(?P<message>(?P<method>\S+) (?P<path>\S+)[^"]*)" (?P<status>\d{3}) (?P<bytes>\d+|-)(?: "(?P<referer>[^"]*)" "(?P<agent>[^"]*)")?"#,
        "%d/%b/%Y:%H:%M:%S %z",
    ),
    (
        "syslog",
        r"^(?P<timestamp>\w{3} [ \d]\d \d\d:\d\d:\d\d) (?P<host>\S+) (?P<service>[^\s:\[]+)(?:\[(?P<pid>\d+)\])?: (?P<message>.*)$",
        "%b %d %T",
    ),
];

/// See the module's documentation.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Records")]
pub(crate) struct ShapingArgs {
    /// A field that every record gets, whatever it has under this name; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    set: Vec<(String, String)>,

    /// The field that holds the time.
    #[arg(long, value_name = "FIELD")]
    timestamp_field: Option<String>,

    /// How times are written where they are not RFC 3339 or seconds: "%d/%b/%Y:%H:%M:%S %z", "%F %T,%f".
    #[arg(long, value_name = "FORM", value_parser = MomentFormat::parse)]
    timestamp_format: Option<MomentFormat>,

    /// The field that holds the level.
    #[arg(long, value_name = "FIELD")]
    level_field: Option<String>,

    /// The field that holds the message.
    #[arg(long, value_name = "FIELD")]
    message_field: Option<String>,

    /// The field that holds the service.
    #[arg(long, value_name = "FIELD")]
    service_field: Option<String>,

    /// The field that holds the latency in milliseconds.
    #[arg(long, value_name = "FIELD")]
    latency_field: Option<String>,

    /// A regular expression whose named groups are the fields of a line of plain text: (?P<level>\w+) (?P<message>.*);
    /// or `combined` (Nginx, Apache) or `syslog`. A record it does not fit becomes a message as it is.
    #[arg(long, value_name = "REGEX", value_parser = parse_pattern)]
    pattern: Option<Pattern>,

    /// A regular expression that the first line of each record fits: lines that it does not fit belong to the record
    /// before them.
    #[arg(long, value_name = "REGEX", value_parser = parse_regex)]
    start_pattern: Option<Regex>,
}

/// A pattern, and the form of times that is known with it.
#[derive(Debug, Clone)]
struct Pattern {
    regex: Regex,
    timestamp_format: Option<MomentFormat>,
}

/// What is done to each record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    pub(super) service: Option<String>,
    /// Names with values as JSON.
    pub(super) set: Vec<(String, String)>,
    /// Names in files, and the fields that they mean.
    pub(super) names: Vec<(String, &'static str)>,
    pub(super) timestamp_format: Option<MomentFormat>,
    pub(super) pattern: Option<Regex>,
    pub(crate) start_pattern: Option<Regex>,
}

impl ShapingArgs {
    /// The rules, with the service of records that do not name theirs.
    pub(crate) fn rules(&self, service: Option<String>) -> Result<Rules, CliError> {
        let names = [
            (&self.timestamp_field, "timestamp"),
            (&self.level_field, "level"),
            (&self.message_field, "message"),
            (&self.service_field, "service"),
            (&self.latency_field, "latency_ms"),
        ];
        let named = |(name, field): (&Option<String>, &'static str)| {
            Some((name.clone()?, field)).filter(|(name, field)| name != field)
        };
        let names: Vec<_> = names.into_iter().filter_map(named).collect();
        let is_twice = |name: &str| names.iter().filter(|(other, _)| other == name).count() > 1;
        if let Some((name, _)) = names.iter().find(|(name, _)| is_twice(name)) {
            return Err(CliError::Argument(format!("the field {name:?} is given two meanings")));
        }
        let of_pattern = self.pattern.as_ref().and_then(|pattern| pattern.timestamp_format.clone());
        Ok(Rules {
            service,
            set: self.set.clone(),
            names,
            timestamp_format: self.timestamp_format.clone().or(of_pattern),
            pattern: self.pattern.as_ref().map(|pattern| pattern.regex.clone()),
            start_pattern: self.start_pattern.clone(),
        })
    }

    /// Whether lines are plain text, by what is said of them.
    pub(crate) fn speaks_of_text(&self) -> bool {
        self.pattern.is_some() || self.start_pattern.is_some()
    }
}

impl Rules {
    /// Differs where records would be made otherwise.
    pub(crate) fn fingerprint(&self, beside: &str) -> String {
        format!("{:016x}", xxh3_64(format!("{self:?} {beside}").as_bytes()))
    }

    /// Whether nothing was said.
    pub(crate) fn are_none(&self) -> bool {
        self.changes_nothing() && self.pattern.is_none() && self.start_pattern.is_none()
    }

    /// Whether JSON records go out as they are.
    pub(super) fn changes_nothing(&self) -> bool {
        self.service.is_none()
            && self.set.is_empty()
            && self.names.is_empty()
            && self.timestamp_format.is_none()
    }
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        // A message or a service is text, whatever it looks like.
        Some((name @ ("message" | "service" | "level"), value)) => Ok((name.to_owned(), values::text(value))),
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), values::typed(value))),
        _ => Err(format!("{text:?} is no KEY=VALUE")),
    }
}

fn parse_regex(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| error.to_string())
}

fn parse_pattern(text: &str) -> Result<Pattern, String> {
    if let Some((_, regex, form)) = KNOWN_PATTERNS.iter().find(|(name, _, _)| *name == text) {
        let timestamp_format = Some(MomentFormat::parse(form)?);
        return Ok(Pattern { regex: parse_regex(regex)?, timestamp_format });
    }
    let regex = parse_regex(text)?;
    if regex.capture_names().flatten().next().is_none() {
        return Err(format!("{text:?} has no named group: write (?P<message>.*) where the message stands"));
    }
    Ok(Pattern { regex, timestamp_format: None })
}
