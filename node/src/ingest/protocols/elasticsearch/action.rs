//! The line before a document: what is to be done with it.

use insighthub_model::limits::IngestLimits;

use crate::ingest::rejection::{Read, RecordError};
use crate::ingest::scan::{ScanError, Scanner};
use crate::ingest::scan_text::Text;

/// What an action is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Index,
    Create,
    Update,
    Delete,
}

impl Operation {
    fn of(name: &str) -> Option<Operation> {
        Some(match name {
            "index" => Operation::Index,
            "create" => Operation::Create,
            "update" => Operation::Update,
            "delete" => Operation::Delete,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Operation::Index => "index",
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Delete => "delete",
        }
    }

    pub(super) fn appends(self) -> bool {
        matches!(self, Operation::Index | Operation::Create)
    }

    pub(super) fn has_source(self) -> bool {
        self != Operation::Delete
    }
}

/// An action.
#[derive(Clone, Copy, Debug)]
pub(super) struct Action<'a> {
    pub operation: Operation,
    pub index: Option<&'a str>,
    pub id: Option<&'a str>,
}

impl<'a> Action<'a> {
    /// Reads `{"index": {"_index": "logs", "_id": "1"}}`.
    pub(super) fn read(line: &'a [u8], limits: &IngestLimits) -> Read<Action<'a>> {
        let text = std::str::from_utf8(line).map_err(|_| malformed("it is not UTF-8"))?;
        let mut scanner = Scanner::new(text);
        let mut arena = String::new();
        if !scanner.take(b'{') {
            return Err(malformed("it is no object"));
        }
        let key = scanner.key(&mut arena).map_err(scan)?;
        let operation = Operation::of(key.of(&arena))
            .ok_or_else(|| malformed("it is none of index, create, update and delete"))?;
        let mut action = Action { operation, index: None, id: None };
        if !scanner.take(b'{') {
            return Err(malformed("its value is no object"));
        }
        if !scanner.take(b'}') {
            action.members(&mut scanner, &mut arena, limits)?;
        }
        match scanner.take(b'}') && scanner.peek().is_none() {
            true => Ok(action),
            false => Err(malformed("it holds more than one action")),
        }
    }

    fn members(&mut self, scanner: &mut Scanner<'a>, arena: &mut String, limits: &IngestLimits) -> Read<()> {
        loop {
            arena.clear();
            let key = scanner.key(arena).map_err(scan)?.of(arena).to_owned();
            let place = match key.as_str() {
                "_index" => Some(&mut self.index),
                "_id" => Some(&mut self.id),
                _ => None,
            };
            scanner.peek();
            let start = scanner.at();
            match place {
                Some(place) if scanner.peek() == Some(b'"') => match scanner.string(arena).map_err(scan)? {
                    Text::Sent(text) => *place = Some(text),
                    // Rare enough to be kept as it was sent, with its escapes: it is a name.
                    Text::Arena { .. } => {
                        *place = scanner.slice(start, scanner.at()).get(1..).map(trim_quote)
                    }
                },
                place => {
                    scanner.skip_value(limits.depth_max, arena).map_err(scan)?;
                    // A number is an id as well.
                    let sent = scanner.slice(start, scanner.at());
                    if let Some(place) = place.filter(|_| sent != "null") {
                        *place = Some(sent);
                    }
                }
            }
            if !scanner.another_member().map_err(scan)? {
                return Ok(());
            }
        }
    }
}

fn trim_quote(text: &str) -> &str {
    text.strip_suffix('"').unwrap_or(text)
}

fn malformed(problem: &str) -> Box<RecordError> {
    RecordError::whole(format!("the action before a document cannot be read: {problem}"))
}

fn scan(error: ScanError) -> Box<RecordError> {
    malformed(&RecordError::scan(error, None).reason)
}
