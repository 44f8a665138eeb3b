//! `context 0003-00000000001a before 20 after 5 by trace_id`: what happened around one record.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::LogId;
use crate::limits::QUERY_CONTEXT_MAX;
use crate::query::error::QueryError;
use crate::query::parser::{Parsed, Parser};
use crate::query::print;

/// Neighbours on either side where no number is given.
const NEIGHBOURS_DEFAULT: u32 = 10;

/// The record and its neighbours in the order of `timestamp`, then `log_id`, oldest first. Neighbours meet
/// the query's filter and have the record's value in the field; the record itself is always there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Context {
    pub log_id: LogId,
    /// At most so many older and younger ones.
    pub before: u32,
    pub after: u32,
    /// `service` unless said otherwise.
    pub by: String,
}

impl Parser<'_> {
    pub(super) fn context(&mut self) -> Parsed<Context> {
        let position = self.lexer.position();
        let typed = self.lexer.peek_name();
        let log_id = typed
            .parse()
            .map_err(|_| QueryError::new(position, "expected a log id, as in context 0003-00000000001a"))?;
        self.lexer.take(typed);
        let (mut before, mut after, mut by) = (None, None, None);
        loop {
            self.lexer.skip_space();
            if before.is_none() && self.lexer.take_name("before") {
                before = Some(self.neighbours()?);
            } else if after.is_none() && self.lexer.take_name("after") {
                after = Some(self.neighbours()?);
            } else if by.is_none() && self.lexer.take_name("by") {
                self.lexer.skip_space();
                by = Some(self.name()?);
            } else {
                break;
            }
        }
        match self.lexer.peek() {
            None | Some('|') => Ok(Context {
                log_id,
                before: before.unwrap_or(NEIGHBOURS_DEFAULT),
                after: after.unwrap_or(NEIGHBOURS_DEFAULT),
                by: by.unwrap_or_else(|| "service".to_owned()),
            }),
            Some(_) => {
                Err(self.error("expected `before`, `after` or `by`, each at most once, `|` or the end"))
            }
        }
    }

    fn neighbours(&mut self) -> Parsed<u32> {
        self.lexer.skip_space();
        self.number("the number of records", 0, QUERY_CONTEXT_MAX)
    }
}

impl Display for Context {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} before {} after {} by ", self.log_id, self.before, self.after)?;
        print::name(&self.by, f)
    }
}
