//! `count() if (level:error) as errors`: one figure made of many records.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::query::error::QueryError;
use crate::query::expression::Expression;
use crate::query::lexer::WordEnd;
use crate::query::parser::{Parsed, Parser};
use crate::query::suggestion::did_you_mean;
use crate::query::{print, system_field};

/// One column of a table of aggregates.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Aggregate {
    pub function: Function,
    /// Only the records that meet this are looked at.
    pub condition: Option<Expression>,
    /// Name of the column: given by `as`, else [`Function::default_column`].
    pub column: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Function {
    /// Records.
    Count,
    /// Records per second of the stretch of time looked at.
    Rate,
    /// A statistic of a field's values; records without the field are passed over.
    Of(Statistic, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Statistic {
    Sum,
    Min,
    Max,
    Avg,
    Quantile(Quantile),
    /// Number of different values, exact.
    Distinct,
    /// Value of the oldest record that has the field.
    First,
    /// Value of the newest record that has the field.
    Last,
}

/// A quantile in millionths, more than none and less than all: `p99.9` is 999,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Quantile(u32);

/// Functions with what they are for, as completion shows them.
pub const FUNCTIONS: [(&str, &str); 14] = [
    ("count()", "number of records"),
    ("rate()", "records per second"),
    ("sum(", "sum of a field's numbers"),
    ("min(", "smallest value of a field"),
    ("max(", "largest value of a field"),
    ("avg(", "mean of a field's numbers"),
    ("median(", "half of the values lie below"),
    ("p50(", "half of the values lie below"),
    ("p90(", "90 % of the values lie below"),
    ("p95(", "95 % of the values lie below"),
    ("p99(", "99 % of the values lie below; any pNN, also p99.9"),
    ("distinct(", "number of different values, exact"),
    ("first(", "value of the oldest record"),
    ("last(", "value of the newest record"),
];

impl Quantile {
    const MEDIAN: Quantile = Quantile(500_000);

    /// `None` at and beyond both ends.
    pub fn from_millionths(millionths: u32) -> Option<Quantile> {
        (1..1_000_000).contains(&millionths).then_some(Quantile(millionths))
    }

    /// Between 0 and 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / 1e6
    }

    /// Reads per cent with at most four digits behind the point: `99.9`.
    fn parse(text: &str) -> Option<Quantile> {
        let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let has_point = whole.len() < text.len();
        if whole.is_empty() || whole.len() > 2 || digits.len() > 4 || has_point == digits.is_empty() {
            return None;
        }
        if !is_number(whole) || !is_number(digits) {
            return None;
        }
        Quantile::from_millionths(format!("{whole}{digits:0<4}").parse().ok()?)
    }
}

impl Display for Quantile {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0 / 10_000)?;
        match self.0 % 10_000 {
            0 => Ok(()),
            part => write!(f, ".{}", format!("{part:04}").trim_end_matches('0')),
        }
    }
}

impl Statistic {
    /// `None` where no function has the name, in lower case.
    fn parse(name: &str) -> Option<Statistic> {
        Some(match name {
            "sum" => Statistic::Sum,
            "min" => Statistic::Min,
            "max" => Statistic::Max,
            "avg" => Statistic::Avg,
            "median" => Statistic::Quantile(Quantile::MEDIAN),
            "distinct" => Statistic::Distinct,
            "first" => Statistic::First,
            "last" => Statistic::Last,
            other => Statistic::Quantile(Quantile::parse(other.strip_prefix('p')?)?),
        })
    }
}

impl Display for Statistic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Statistic::Sum => "sum",
            Statistic::Min => "min",
            Statistic::Max => "max",
            Statistic::Avg => "avg",
            Statistic::Quantile(quantile) => return quantile.fmt(f),
            Statistic::Distinct => "distinct",
            Statistic::First => "first",
            Statistic::Last => "last",
        })
    }
}

impl Function {
    /// `count`, `rate`, or `p95_latency_ms` for `p95(latency_ms)`.
    pub fn default_column(&self) -> String {
        match self {
            Function::Count => "count".to_owned(),
            Function::Rate => "rate".to_owned(),
            Function::Of(statistic, field) => format!("{statistic}_{field}"),
        }
    }
}

impl Parser<'_> {
    pub(super) fn aggregate(&mut self) -> Parsed<Aggregate> {
        let typed = self.lexer.peek_name();
        let function = self.function()?;
        let default_column = match &function {
            Function::Of(_, field) if typed.eq_ignore_ascii_case("median") => format!("median_{field}"),
            function => function.default_column(),
        };
        let (mut condition, mut column) = (None, None);
        // Either order: people do not remember it.
        loop {
            self.lexer.skip_space();
            if condition.is_none() && self.lexer.take_name("if") {
                condition = Some(self.aggregate_condition()?);
            } else if column.is_none() && self.lexer.take_name("as") {
                column = Some(self.new_column()?);
            } else {
                break;
            }
        }
        Ok(Aggregate { function, condition, column: column.unwrap_or(default_column) })
    }

    fn aggregate_condition(&mut self) -> Parsed<Expression> {
        self.lexer.skip_space();
        match self.lexer.peek() {
            Some('(') => self.group(),
            _ => Err(self.error("expected a filter in parentheses, as in count() if (level:error)")),
        }
    }

    /// What follows `as`.
    pub(super) fn new_column(&mut self) -> Parsed<String> {
        self.lexer.skip_space();
        let position = self.lexer.position();
        let name = self.name()?;
        if system_field::NAMES.contains(&name.as_str()) {
            let reason = format!("every record has a field {name}: expected another name for the column");
            return Err(QueryError::new(position, reason));
        }
        Ok(name)
    }

    fn function(&mut self) -> Parsed<Function> {
        let position = self.lexer.position();
        let typed = self.lexer.peek_name();
        let name = typed.to_ascii_lowercase();
        let statistic = Statistic::parse(&name);
        if statistic.is_none() && name != "count" && name != "rate" {
            return Err(unknown_function(position, typed));
        }
        self.lexer.word(WordEnd::Name);
        if !self.lexer.take("(") {
            return Err(self.error(match statistic {
                None => format!("expected `()` after {name}"),
                Some(_) => format!("expected a field in parentheses, as in {name}(latency_ms)"),
            }));
        }
        self.lexer.skip_space();
        let function = match statistic {
            Some(statistic) => Function::Of(statistic, self.name()?),
            None if name == "count" => Function::Count,
            None => Function::Rate,
        };
        self.lexer.skip_space();
        if !self.lexer.take(")") {
            return Err(self.error(match function {
                Function::Of(..) => "expected `)`: a function looks at one field".to_owned(),
                _ => format!("{name} looks at no field: expected `)`; for the records that have a field, {name}() if (field:*)"),
            }));
        }
        Ok(function)
    }
}

fn unknown_function(position: usize, typed: &str) -> QueryError {
    let names = ["count", "rate", "sum", "min", "max", "avg", "median", "distinct", "first", "last"];
    let known = format!("{} or a quantile such as p95 or p99.9", names.join(", "));
    if typed.is_empty() {
        return QueryError::new(position, format!("expected a function: {known}"));
    }
    let lower = typed.to_ascii_lowercase();
    if lower.strip_prefix('p').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit())) {
        let reason = "a quantile lies between p0 and p100 and has at most four digits behind the point: \
                      expected one such as p95 or p99.9; the ends are min and max";
        return QueryError::new(position, reason);
    }
    let shown: String = typed.chars().take(40).collect();
    let hint = did_you_mean(typed, names);
    QueryError::new(position, format!("there is no function {shown:?}{hint}; expected {known}"))
}

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Function::Count => f.write_str("count()"),
            Function::Rate => f.write_str("rate()"),
            Function::Of(statistic, field) => {
                write!(f, "{statistic}(")?;
                print::name(field, f)?;
                f.write_str(")")
            }
        }
    }
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.function.fmt(f)?;
        if let Some(condition) = &self.condition {
            write!(f, " if ({condition})")?;
        }
        if self.column != self.function.default_column() {
            f.write_str(" as ")?;
            print::name(&self.column, f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_exact() {
        for (text, millionths) in
            [("50", 500_000), ("9", 90_000), ("99.9", 999_000), ("99.9999", 999_999), ("0.5", 5_000)]
        {
            let quantile = Quantile::parse(text).unwrap();
            assert_eq!(quantile.0, millionths);
            assert_eq!(quantile.to_string(), format!("p{text}"));
        }
        for text in ["", "0", "100", "00.0", "99.", ".5", "99.99999", "9a", "+5"] {
            assert_eq!(Quantile::parse(text), None, "{text}");
        }
    }
}
