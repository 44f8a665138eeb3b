//! `fields timestamp, http.*, -http.body`: which columns are kept.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use super::reading;
use crate::query::error::QueryError;
use crate::query::expression::Text;
use crate::query::parser::{Parsed, Parser};
use crate::query::pattern::glob_matches;
use crate::query::print;

/// The columns kept: those of `keep`, or all where it is empty, without those of `drop`. Case counts; a
/// star stands for any run of characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Projection {
    pub keep: Vec<Text>,
    pub drop: Vec<Text>,
}

fn fits(text: &Text, name: &str) -> bool {
    match text {
        Text::Exact(exact) => exact == name,
        Text::Wildcard(parts) => glob_matches(parts, name),
    }
}

impl Projection {
    pub fn keeps(&self, name: &str) -> bool {
        let is_kept = self.keep.is_empty() || self.keep.iter().any(|text| fits(text, name));
        is_kept && !self.drop.iter().any(|text| fits(text, name))
    }

    /// Those of the columns that are kept, in the order of `keep`, then in their own.
    pub fn of_columns(&self, columns: &[String]) -> Vec<String> {
        let rank = |name: &String| self.keep.iter().position(|text| fits(text, name));
        let mut kept: Vec<String> = columns.iter().filter(|name| self.keeps(name)).cloned().collect();
        // Stable: columns of the same wildcard keep their order.
        kept.sort_by_key(rank);
        kept
    }

    /// The columns of records that have these fields: a name that is kept stands there also where no record has it.
    pub fn of_fields(&self, fields: &[String]) -> Vec<String> {
        let mut all = fields.to_vec();
        for text in &self.keep {
            if let Text::Exact(name) = text
                && !all.contains(name)
            {
                all.push(name.clone());
            }
        }
        self.of_columns(&all)
    }

    /// The columns, where they do not depend on what there is.
    pub(super) fn exact_columns(&self) -> Option<Vec<String>> {
        let exact: Option<Vec<String>> = self
            .keep
            .iter()
            .map(|text| match text {
                Text::Exact(name) => Some(name.clone()),
                Text::Wildcard(_) => None,
            })
            .collect();
        exact.filter(|names| !names.is_empty()).map(|names| self.of_columns(&names))
    }
}

impl Parser<'_> {
    pub(super) fn projection(&mut self) -> Parsed<Projection> {
        let (mut keep, mut drop) = (Vec::new(), Vec::new());
        let started_at = self.lexer.position();
        self.list(|parser| {
            let position = parser.lexer.position();
            let is_dropped = parser.lexer.take("-");
            let text = parser.column_pattern()?;
            if keep.contains(&text) || drop.contains(&text) {
                return Err(QueryError::new(position, "this field is here twice: expected it once"));
            }
            if is_dropped {
                drop.push(text)
            } else {
                keep.push(text)
            }
            Ok(())
        })?;
        let projection = Projection { keep, drop };
        let is_empty = projection.drop.iter().any(Text::is_star)
            || projection.exact_columns().is_some_and(|columns| columns.is_empty())
            || self.output.columns().is_some_and(|columns| projection.of_columns(columns).is_empty());
        match is_empty {
            true => Err(QueryError::new(started_at, "no field would be left: expected one to keep")),
            false => Ok(projection),
        }
    }

    fn column_pattern(&mut self) -> Parsed<Text> {
        let position = self.lexer.position();
        let text = self.name_pattern()?;
        if let Text::Exact(name) = &text {
            self.check_column(name, position)?;
        }
        Ok(text)
    }
}

impl Display for Projection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kept = self.keep.iter().map(|text| ("", text));
        let all: Vec<(&str, &Text)> = kept.chain(self.drop.iter().map(|text| ("-", text))).collect();
        reading::list(&all, f, |(sign, text), f| {
            f.write_str(sign)?;
            match text {
                Text::Exact(name) => print::name(name, f),
                wildcard => wildcard.fmt(f),
            }
        })
    }
}
