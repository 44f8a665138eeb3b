//! `top 10 service by sum(bytes)`: the groups with the largest count or sum.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Function, Statistic};
use super::reading;
use crate::query::error::QueryError;
use crate::query::parser::{Parsed, Parser};

/// The same as `stats <by> by <fields> | sort <by> desc, <fields> | limit <rows>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Top {
    pub rows: u32,
    /// One or more, each once.
    pub fields: Vec<String>,
    /// Count or sum.
    pub by: Aggregate,
}

impl Parser<'_> {
    pub(super) fn top(&mut self) -> Parsed<Top> {
        let rows = self.rows_or_default("the number of rows")?;
        let fields = self.distinct_columns()?;
        self.lexer.skip_space();
        let position = self.lexer.position();
        let by = if self.lexer.take_name("by") {
            self.lexer.skip_space();
            self.aggregate()?
        } else {
            Aggregate { function: Function::Count, condition: None, column: "count".to_owned() }
        };
        if !matches!(by.function, Function::Count | Function::Of(Statistic::Sum, _)) {
            let reason =
                "top orders by count() or sum(field); for others write stats ... | sort ... desc | limit ...";
            return Err(QueryError::new(position, reason));
        }
        if fields.contains(&by.column) {
            let reason = format!(
                "two columns would have the name {:?}: expected `by count() as` and another name",
                by.column
            );
            return Err(QueryError::new(position, reason));
        }
        Ok(Top { rows, fields, by })
    }
}

impl Display for Top {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.rows)?;
        reading::names(&self.fields, f)?;
        write!(f, " by {}", self.by)
    }
}
