//! What may stand at the cursor of a query that is being typed. Pure: what there is to choose from
//! (fields, values) is an argument.

mod place;

use std::ops::Range;

use super::expression::Query;
use super::pipeline::{self, FUNCTIONS, Output, STAGES};
use super::{parse, print, system_field};
use crate::Level;
use place::{Expected, Place};

/// Suggestions given at most: more than fit on a screen are of no use.
pub const SUGGESTIONS_MAX: usize = 50;

/// What there is in the logs, as far as the caller knows.
pub trait Vocabulary {
    /// Names of the client's own fields, the most used first. Those every record has need not be here.
    fn fields(&self) -> Vec<String>;
    /// Values of a field, the most frequent first; none where they are not known.
    fn values(&self, field: &str) -> Vec<String>;
}

/// One text that may be put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Bytes of the query to be replaced by `text`; they end at the cursor.
    pub span: Range<usize>,
    pub text: String,
    pub kind: SuggestionKind,
    /// A few words for people; may be empty.
    pub description: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SuggestionKind {
    Field,
    Value,
    Keyword,
    Stage,
    Function,
}

/// What may stand at the cursor, the likeliest first. A cursor beyond the text or inside a character
/// counts as the place before it.
pub fn complete(text: &str, cursor: usize, known: &dyn Vocabulary) -> Vec<Suggestion> {
    let typed = text.get(..text.floor_char_boundary(cursor)).unwrap_or(text);
    let place = Place::of(typed);
    let candidates = match &place.expected {
        Expected::Nothing => Vec::new(),
        Expected::Condition => condition(known),
        Expected::Value(field) => values(field, known),
        Expected::Stage => stages(&place.output(typed)),
        Expected::Function => functions(),
        Expected::Column => columns(&place.output(typed), known, ""),
        Expected::ColumnOrFilter => columns(&place.output(typed), known, " "),
        Expected::Words(words) => keywords(words),
    };
    let span = place.start..typed.len();
    let prefix = place.prefix(typed).to_lowercase();
    let fits = |candidate: &Candidate| {
        let bare = candidate.text.trim_start_matches('"').to_lowercase();
        bare.starts_with(&prefix) && candidate.text != place.prefix(typed)
    };
    let found = candidates.into_iter().filter(fits).take(SUGGESTIONS_MAX);
    found
        .map(|Candidate { text, kind, description }| Suggestion {
            span: span.clone(),
            text,
            kind,
            description,
        })
        .collect()
}

struct Candidate {
    text: String,
    kind: SuggestionKind,
    description: String,
}

fn candidate(text: impl Into<String>, kind: SuggestionKind, description: impl Into<String>) -> Candidate {
    Candidate { text: text.into(), kind, description: description.into() }
}

fn system_description(name: &str) -> &'static str {
    match name {
        "service" => "who wrote the record",
        "level" => "TRACE, DEBUG, INFO, WARN, ERROR, FATAL",
        "message" => "the text; a bare word looks here too",
        "timestamp" => "when it happened: timestamp:-15m",
        "latency_ms" => "how long it took, milliseconds",
        "anomaly_score" => "how odd it is",
        "is_anomaly" => "true or false",
        "anomaly_reason" => "why it is odd",
        "log_id" => "the name of one record",
        _ => "",
    }
}

/// System fields first: they are what most queries begin with.
fn fields(known: &dyn Vocabulary, behind: &str) -> Vec<Candidate> {
    let system = system_field::NAMES.into_iter().filter(|name| *name != "created_at");
    let system = system
        .map(|name| candidate(format!("{name}{behind}"), SuggestionKind::Field, system_description(name)));
    let own = known.fields().into_iter().filter(|name| !system_field::NAMES.contains(&name.as_str()));
    let own = own.map(|name| {
        candidate(format!("{}{behind}", print::typed_name(&name)), SuggestionKind::Field, "field")
    });
    system.chain(own).collect()
}

fn condition(known: &dyn Vocabulary) -> Vec<Candidate> {
    let mut found = fields(known, ":");
    found.extend(keywords(&["AND", "OR", "NOT"]));
    found
}

fn values(field: &str, known: &dyn Vocabulary) -> Vec<Candidate> {
    let value = |text: &str| candidate(print::typed_value(text), SuggestionKind::Value, field);
    let mut found: Vec<Candidate> = match field {
        "" => return Vec::new(),
        "level" => Level::ALL.into_iter().rev().map(|level| value(level.name())).collect(),
        "is_anomaly" => ["true", "false"].map(value).into(),
        "timestamp" => {
            let spans = [
                ("-5m", "5 minutes"),
                ("-15m", "15 minutes"),
                ("-1h", "hour"),
                ("-1d", "day"),
                ("-7d", "7 days"),
            ];
            spans
                .map(|(text, last)| candidate(text, SuggestionKind::Value, format!("the last {last}")))
                .into()
        }
        _ => known.values(field).iter().map(|text| value(text)).collect(),
    };
    let tests = [
        ("*", "the field is there"),
        ("in(", "one of several values"),
        ("~", "holds a word"),
        ("/", "fits a regular expression"),
    ];
    let allowed = tests.into_iter().filter(|(test, _)| match *test {
        "*" => true,
        "in(" => field != "timestamp",
        _ => system_field::takes_sets(field) || (field == "message" && *test == "/"),
    });
    found.extend(allowed.map(|(text, description)| candidate(text, SuggestionKind::Keyword, description)));
    found
}

fn stages(output: &Output) -> Vec<Candidate> {
    let fits = STAGES.iter().filter(|stage| pipeline::may_follow(stage.name, output));
    fits.map(|stage| {
        candidate(stage.name, SuggestionKind::Stage, format!("{}: {}", stage.description, stage.example))
    })
    .collect()
}

fn functions() -> Vec<Candidate> {
    FUNCTIONS
        .iter()
        .map(|(text, description)| candidate(*text, SuggestionKind::Function, *description))
        .collect()
}

fn columns(output: &Output, known: &dyn Vocabulary, behind: &str) -> Vec<Candidate> {
    match output.columns() {
        None => fields(known, behind),
        Some(columns) => {
            let typed = columns.iter().map(|name| format!("{}{behind}", print::typed_name(name)));
            typed.map(|text| candidate(text, SuggestionKind::Field, "column")).collect()
        }
    }
}

fn keywords(words: &[&'static str]) -> Vec<Candidate> {
    let description = |word: &str| match word {
        "AND" => "both conditions",
        "OR" => "at least one condition",
        "NOT" => "not this condition",
        "by" => "by which fields",
        "as" => "name of the column",
        "if (" => "only records that meet a filter",
        "desc" => "largest first",
        "asc" => "smallest first",
        "time(5m)" => "stretches of time",
        "before" => "older records",
        "after" => "younger records",
        "|" => "another stage",
        _ => "",
    };
    words.iter().map(|word| candidate(*word, SuggestionKind::Keyword, description(word))).collect()
}

impl Place {
    /// What the stages before the cursor's give; records, where they cannot be read.
    fn output(&self, typed: &str) -> Output {
        let before = self.stage_start.and_then(|pipe| typed.get(..pipe)).unwrap_or("");
        parse(before).map_or(Output::Records, |query: Query| query.output())
    }
}

#[cfg(test)]
mod tests;
