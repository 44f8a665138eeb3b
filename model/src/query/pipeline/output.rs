//! What a stage gives to the next: records, or a table with columns.

use super::{Projection, Stage};

/// The columns of `patterns`, in order.
pub const PATTERN_COLUMNS: [&str; 6] = ["pattern", "count", "share", "first_seen", "last_seen", "sample"];

/// The kind of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Whole records; their fields are their columns.
    Records,
    /// Rows with these columns, in this order. `None`: whatever fields the records have, some dropped.
    Table(Option<Vec<String>>),
}

impl Output {
    /// The columns, where they are known before the query is run.
    pub fn columns(&self) -> Option<&[String]> {
        match self {
            Output::Table(Some(columns)) => Some(columns),
            Output::Table(None) | Output::Records => None,
        }
    }

    /// What a stage makes of this.
    pub fn after(self, stage: &Stage) -> Output {
        match stage {
            Stage::Where(_)
            | Stage::Sort(_)
            | Stage::Limit(_)
            | Stage::Offset(_)
            | Stage::Sample(_)
            | Stage::Context(_) => self,
            Stage::Stats(stats) => Output::Table(Some(stats.columns())),
            Stage::Top(top) => {
                Output::Table(Some(top.fields.iter().chain([&top.by.column]).cloned().collect()))
            }
            Stage::Uniq(fields) => Output::Table(Some(fields.clone())),
            Stage::Patterns(_) => Output::Table(Some(PATTERN_COLUMNS.map(str::to_owned).to_vec())),
            Stage::Fields(projection) => Output::Table(projected(self, projection)),
        }
    }
}

fn projected(input: Output, projection: &Projection) -> Option<Vec<String>> {
    match input {
        Output::Table(Some(columns)) => Some(projection.of_columns(&columns)),
        Output::Table(None) | Output::Records => projection.exact_columns(),
    }
}
