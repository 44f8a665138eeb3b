//! `sort n desc, service`.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::query::parser::{Parsed, Parser};
use crate::query::print;

/// What rows are ordered by. Rows without a value come last, whatever the direction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SortKey {
    pub column: String,
    pub direction: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    Ascending,
    Descending,
}

impl Parser<'_> {
    pub(super) fn sort_keys(&mut self) -> Parsed<Vec<SortKey>> {
        // `sort by n` is what SQL and SPL people type.
        if self.lexer.take_name("by") {
            self.lexer.skip_space();
        }
        self.list(|parser| {
            let column = parser.column()?;
            parser.lexer.skip_space();
            let direction = if parser.lexer.take_name("desc") {
                Direction::Descending
            } else {
                parser.lexer.take_name("asc");
                Direction::Ascending
            };
            Ok(SortKey { column, direction })
        })
    }
}

impl Display for SortKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        print::name(&self.column, f)?;
        f.write_str(match self.direction {
            Direction::Ascending => "",
            Direction::Descending => " desc",
        })
    }
}
