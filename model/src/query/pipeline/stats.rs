//! `stats count() as n, p95(latency_ms) by service, time(5m)`.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use super::aggregate::Aggregate;
use super::reading;
use crate::limits::{QUERY_AGGREGATES_MAX, QUERY_BUCKET_NANOS_MIN};
use crate::query::error::QueryError;
use crate::query::parser::{Parsed, Parser};
use crate::query::print;
use crate::query::time_span::TimeSpan;

/// Aggregates of all records that have the same values in the groups' fields. Without groups: one row,
/// also of no records.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stats {
    /// One or more.
    pub aggregates: Vec<Aggregate>,
    pub groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Group {
    pub key: GroupKey,
    /// Name of the column: given by `as`, else the field's name, or `time`.
    pub column: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GroupKey {
    /// Records without the field are a group of their own, whose value is null.
    Field(String),
    /// `time(5m)`: see [`TimeSpan::start_of`]. Never of length 0.
    Time(TimeSpan),
}

impl Stats {
    /// Names of the columns: groups first, each once.
    pub fn columns(&self) -> Vec<String> {
        let groups = self.groups.iter().map(|group| group.column.clone());
        groups.chain(self.aggregates.iter().map(|aggregate| aggregate.column.clone())).collect()
    }
}

impl GroupKey {
    pub fn default_column(&self) -> &str {
        match self {
            GroupKey::Field(name) => name,
            GroupKey::Time(_) => "time",
        }
    }
}

impl Parser<'_> {
    pub(super) fn stats(&mut self) -> Parsed<Stats> {
        let mut columns = Vec::new();
        let mut aggregates = Vec::new();
        loop {
            self.lexer.skip_space();
            if aggregates.len() == QUERY_AGGREGATES_MAX {
                return Err(self
                    .error(format!("stats has at most {QUERY_AGGREGATES_MAX} aggregates: expected fewer")));
            }
            let position = self.lexer.position();
            let aggregate = self.aggregate()?;
            check_new(&columns, &aggregate.column, position)?;
            columns.push(aggregate.column.clone());
            aggregates.push(aggregate);
            if !self.take_comma() {
                break;
            }
        }
        let groups = if self.lexer.take_name("by") { self.groups(columns)? } else { Vec::new() };
        self.lexer.skip_space();
        match self.lexer.peek() {
            None | Some('|') => Ok(Stats { aggregates, groups }),
            Some(_) if groups.is_empty() => Err(self.error("expected `,`, `if`, `as`, `by`, `|` or the end")),
            Some(_) => Err(self.error("expected `,`, `as`, `|` or the end")),
        }
    }

    fn groups(&mut self, mut columns: Vec<String>) -> Parsed<Vec<Group>> {
        self.lexer.skip_space();
        self.list(|parser| {
            let position = parser.lexer.position();
            let group = parser.stats_group()?;
            check_new(&columns, &group.column, position)?;
            columns.push(group.column.clone());
            Ok(group)
        })
    }

    fn stats_group(&mut self) -> Parsed<Group> {
        let is_bucket = self.lexer.rest().get(..5).is_some_and(|start| start.eq_ignore_ascii_case("time("));
        let key = if is_bucket { self.time_bucket()? } else { GroupKey::Field(self.name()?) };
        self.lexer.skip_space();
        let column = match self.lexer.take_name("as") {
            true => self.new_column()?,
            false => key.default_column().to_owned(),
        };
        Ok(Group { key, column })
    }

    fn time_bucket(&mut self) -> Parsed<GroupKey> {
        self.lexer.take_name("time");
        self.lexer.take("(");
        self.lexer.skip_space();
        let position = self.lexer.position();
        let typed = self.lexer.peek_name();
        let Some(length) = TimeSpan::parse(typed) else {
            return Err(QueryError::new(
                position,
                "expected a length of time, as in time(5m) or time(1h30m)",
            ));
        };
        if length.nanos() < QUERY_BUCKET_NANOS_MIN {
            let least = TimeSpan::from_nanos(QUERY_BUCKET_NANOS_MIN);
            return Err(QueryError::new(position, format!("expected a length of time of {least} or more")));
        }
        self.lexer.take(typed);
        self.lexer.skip_space();
        match self.lexer.take(")") {
            true => Ok(GroupKey::Time(length)),
            false => Err(self.error("expected `)` after the length of time")),
        }
    }
}

fn check_new(columns: &[String], name: &str, position: usize) -> Parsed<()> {
    if !columns.iter().any(|column| column == name) {
        return Ok(());
    }
    let shown: String = name.chars().take(40).collect();
    let reason =
        format!("two columns would have the name {shown:?}: expected `as` and another name for one of them");
    Err(QueryError::new(position, reason))
}

impl Display for Stats {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        reading::list(&self.aggregates, f, |aggregate, f| aggregate.fmt(f))?;
        if self.groups.is_empty() {
            return Ok(());
        }
        f.write_str(" by ")?;
        reading::list(&self.groups, f, |group, f| group.fmt(f))
    }
}

impl Display for Group {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.key {
            GroupKey::Field(name) => print::name(name, f)?,
            GroupKey::Time(length) => write!(f, "time({length})")?,
        }
        if self.column != self.key.default_column() {
            f.write_str(" as ")?;
            print::name(&self.column, f)?;
        }
        Ok(())
    }
}
