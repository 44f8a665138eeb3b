//! What follows the pipes of a query: stages, each made of what the one before it gives.
//!
//! One file per kind of stage: what it says, how it is read, how it is printed.

mod aggregate;
mod condition;
mod context;
mod output;
mod projection;
mod reading;
mod sort;
mod stats;
mod top;

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use super::error::QueryError;
use super::expression::Expression;
use super::parser::{Parsed, Parser};
use super::suggestion::did_you_mean;
use crate::limits::{QUERY_OFFSET_MAX, QUERY_ROWS_MAX, QUERY_STAGES_MAX};

pub use aggregate::{Aggregate, FUNCTIONS, Function, Quantile, Statistic};
pub use context::Context;
pub use output::{Output, PATTERN_COLUMNS};
pub use projection::Projection;
pub use sort::{Direction, SortKey};
pub use stats::{Group, GroupKey, Stats};
pub use top::Top;

/// Rows of `top`, `patterns` and records of `sample` where no number is given.
pub const ROWS_DEFAULT: u32 = 10;

/// One step behind a pipe.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Stage {
    /// Aggregates of records, by group.
    Stats(Stats),
    /// The rows that meet a condition on their columns.
    Where(Expression),
    /// Rows in the order of the keys; the first key counts most.
    Sort(Vec<SortKey>),
    /// At most so many rows, the first.
    Limit(u32),
    /// All rows but so many, the first.
    Offset(u32),
    /// The most frequent values.
    Top(Top),
    /// Each combination of values once, in ascending order.
    Uniq(Vec<String>),
    /// Some of the columns.
    Fields(Projection),
    /// The most frequent message templates, at most so many.
    Patterns(u32),
    /// So many records drawn evenly, the same ones each time.
    Sample(u32),
    /// The neighbours of one record.
    Context(Context),
}

/// A stage as it is explained to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageDescription {
    pub name: &'static str,
    pub example: &'static str,
    pub description: &'static str,
}

/// Every stage there is.
pub const STAGES: [StageDescription; 11] = [
    describe("stats", "stats count() by service", "counts, sums, quantiles ... by group"),
    describe("where", "where count > 10", "keeps the rows that meet a condition"),
    describe("sort", "sort count desc", "orders the rows"),
    describe("limit", "limit 20", "keeps the first rows"),
    describe("offset", "offset 20", "passes over the first rows"),
    describe("top", "top 10 service", "the most frequent values of a field"),
    describe("uniq", "uniq by service", "each combination of values once"),
    describe("fields", "fields timestamp, message", "keeps or drops columns"),
    describe("patterns", "patterns 20", "the most frequent message templates"),
    describe("sample", "sample 100", "records drawn evenly, the same ones each time"),
    describe("context", "context 0003-00000000001a before 10 after 10", "the neighbours of one record"),
];

const fn describe(name: &'static str, example: &'static str, description: &'static str) -> StageDescription {
    StageDescription { name, example, description }
}

impl Stage {
    pub fn name(&self) -> &'static str {
        match self {
            Stage::Stats(_) => "stats",
            Stage::Where(_) => "where",
            Stage::Sort(_) => "sort",
            Stage::Limit(_) => "limit",
            Stage::Offset(_) => "offset",
            Stage::Top(_) => "top",
            Stage::Uniq(_) => "uniq",
            Stage::Fields(_) => "fields",
            Stage::Patterns(_) => "patterns",
            Stage::Sample(_) => "sample",
            Stage::Context(_) => "context",
        }
    }
}

/// Reads all stages up to the end of the query.
pub(super) fn stages(parser: &mut Parser<'_>) -> Parsed<Vec<Stage>> {
    let mut stages = Vec::new();
    while parser.lexer.take("|") {
        parser.lexer.skip_space();
        if stages.len() == QUERY_STAGES_MAX {
            return Err(
                parser.error(format!("a query has at most {QUERY_STAGES_MAX} stages: expected fewer"))
            );
        }
        let stage = parser.stage(stages.is_empty())?;
        parser.output = std::mem::replace(&mut parser.output, Output::Records).after(&stage);
        stages.push(stage);
        parser.lexer.skip_space();
    }
    match parser.lexer.peek() {
        None => Ok(stages),
        Some(_) => Err(parser.error("expected `|` and another stage, or the end")),
    }
}

impl Parser<'_> {
    fn stage(&mut self, is_first: bool) -> Parsed<Stage> {
        let position = self.lexer.position();
        let name = self.lexer.peek_name().to_ascii_lowercase();
        let Some(known) = STAGES.iter().find(|stage| stage.name == name) else {
            return Err(unknown_stage(position, self.lexer.peek_name()));
        };
        check_place(known.name, is_first, &self.output)
            .map_err(|reason| QueryError::new(position, reason))?;
        self.lexer.take_name(known.name);
        self.lexer.skip_space();
        Ok(match known.name {
            "stats" => Stage::Stats(self.stats()?),
            "where" => Stage::Where(self.where_condition()?),
            "sort" => Stage::Sort(self.sort_keys()?),
            "limit" => Stage::Limit(self.number("the number of rows", 1, QUERY_ROWS_MAX)?),
            "offset" => Stage::Offset(self.number("the number of rows to pass over", 0, QUERY_OFFSET_MAX)?),
            "top" => Stage::Top(self.top()?),
            "uniq" => Stage::Uniq(self.uniq()?),
            "fields" => Stage::Fields(self.projection()?),
            "patterns" => Stage::Patterns(self.rows_or_default("the number of patterns")?),
            "sample" => Stage::Sample(self.number("the number of records", 1, QUERY_ROWS_MAX)?),
            _ => Stage::Context(self.context()?),
        })
    }

    fn uniq(&mut self) -> Parsed<Vec<String>> {
        if !self.lexer.take_name("by") {
            return Err(self.error("expected `by` and a field, as in uniq by service"));
        }
        self.distinct_columns()
    }
}

fn unknown_stage(position: usize, typed: &str) -> QueryError {
    let names: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
    let reason = match typed {
        "" => format!("expected a stage behind `|`: one of {}", names.join(", ")),
        typed => {
            let shown: String = typed.chars().take(40).collect();
            let hint = did_you_mean(typed, names.iter().copied());
            format!("there is no stage {shown:?}{hint}; expected one of {}", names.join(", "))
        }
    };
    QueryError::new(position, reason)
}

/// True where the stage can be made of what there is; `context` only of records, as the first stage.
pub(super) fn may_follow(name: &str, input: &Output) -> bool {
    check_place(name, *input == Output::Records, input).is_ok()
}

/// Fails where a stage would get rows it can make nothing of.
fn check_place(name: &str, is_first: bool, input: &Output) -> Result<(), String> {
    let needs_records = matches!(name, "stats" | "top" | "patterns" | "sample");
    if name == "context" && !is_first {
        return Err("context looks around one record: expected it as the first stage".to_owned());
    }
    if needs_records && *input != Output::Records {
        return Err(format!(
            "{name} is made of records, and the stage before it gives a table: expected {name} before it, \
             or one of where, sort, limit, offset, uniq, fields here"
        ));
    }
    Ok(())
}

impl Display for Stage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        f.write_str(" ")?;
        match self {
            Stage::Stats(stats) => stats.fmt(f),
            Stage::Where(condition) => condition.fmt(f),
            Stage::Sort(keys) => reading::list(keys, f, |key, f| key.fmt(f)),
            Stage::Limit(rows) | Stage::Offset(rows) | Stage::Patterns(rows) | Stage::Sample(rows) => {
                rows.fmt(f)
            }
            Stage::Top(top) => top.fmt(f),
            Stage::Uniq(fields) => {
                f.write_str("by ")?;
                reading::names(fields, f)
            }
            Stage::Fields(projection) => projection.fmt(f),
            Stage::Context(context) => context.fmt(f),
        }
    }
}
