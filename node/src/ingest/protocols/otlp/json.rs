//! The request in JSON, as Protocol Buffers map to it: names in lowerCamelCase, ids in hexadecimal, enums as numbers or names,
//! numbers of 64 bits in quotes or without. Members in any order; those that are not known are passed over.

use insighthub_model::limits::IngestLimits;

use super::json_record::log_record;
use super::json_values::{JSON_DEPTH_MAX, Members, Name, list, skip, slice_value, text};
use super::mapping::{self, Mapper};
use super::shared::Shared;
use super::values::Flattener;
use crate::ingest::key::Key;
use crate::ingest::record::Draft;
use crate::ingest::records::{Piece, Records};
use crate::ingest::rejection::Read;
use crate::ingest::scan::{Problem, ScanError, Scanned, Scanner};
use crate::ingest::scan_text::Text;

/// What the scanner stands in: each within the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the request.
    Start,
    Request,
    Resources,
    Resource,
    Scopes,
    Scope,
    Records,
    /// Behind it.
    End,
}

/// The records of a request.
#[derive(Debug)]
pub(super) struct JsonRecords<'a> {
    scanner: Scanner<'a>,
    place: Place,
    /// Nothing was read yet of the object or array that the scanner stands in.
    is_first: bool,
    resource: Shared<'a>,
    /// It was found already, ahead of its place.
    knows_resource: bool,
    scope: Shared<'a>,
    knows_scope: bool,
    mapper: Mapper<'a>,
    scratch: String,
    broken: Option<ScanError>,
}

impl<'a> JsonRecords<'a> {
    pub(super) fn new(body: &'a str, limits: &'a IngestLimits) -> JsonRecords<'a> {
        JsonRecords {
            scanner: Scanner::new(body.strip_prefix('\u{feff}').unwrap_or(body)),
            place: Place::Start,
            is_first: true,
            resource: Shared::default(),
            knows_resource: false,
            scope: Shared::default(),
            knows_scope: false,
            mapper: Mapper { limits, flattener: Flattener::default() },
            scratch: String::new(),
            broken: None,
        }
    }

    /// Why the request came to no end.
    pub(super) fn broken(&self) -> Option<String> {
        let ScanError { at, problem } = self.broken?;
        let problem = match problem {
            Problem::Broken(problem) => problem,
            Problem::TooDeep => "it is nested too deep",
            Problem::NumberTooLarge => "the number is too large for a 64-bit float",
        };
        Some(format!("the JSON is broken at byte {}: {problem}", at + 1))
    }

    /// Moves in front of the next record; false behind the last.
    fn seek(&mut self) -> Scanned<bool> {
        loop {
            match self.place {
                Place::Start => self.enter(b'{', Place::Request)?,
                Place::Request => match self.member()? {
                    Some("resourceLogs") => self.enter(b'[', Place::Resources)?,
                    Some(_) => self.skip()?,
                    None => self.leave(Place::End),
                },
                Place::Resources => match self.another(b']')? {
                    true => self.enter_resource()?,
                    false => self.leave(Place::Request),
                },
                Place::Resource => match self.member()? {
                    Some("resource") => self.take_resource()?,
                    Some("scopeLogs") => self.enter_scopes()?,
                    Some(_) => self.skip()?,
                    None => self.leave(Place::Resources),
                },
                Place::Scopes => match self.another(b']')? {
                    true => self.enter_scope()?,
                    false => self.leave(Place::Resource),
                },
                Place::Scope => match self.member()? {
                    Some("scope") => self.take_scope()?,
                    Some("logRecords") => self.enter_records()?,
                    Some(_) => self.skip()?,
                    None => self.leave(Place::Scopes),
                },
                Place::Records => match self.another(b']')? {
                    true => return Ok(true),
                    false => self.leave(Place::Scope),
                },
                Place::End if self.scanner.peek().is_some() => {
                    return self.scanner.broken("there is text after the end of the request");
                }
                Place::End => return Ok(false),
            }
        }
    }

    /// Enters an object or array; `null` is as good as none.
    fn enter(&mut self, bracket: u8, place: Place) -> Scanned<()> {
        if self.scanner.take(bracket) {
            (self.place, self.is_first) = (place, true);
            return Ok(());
        }
        if self.scanner.peek() == Some(b'n') && place != Place::Request {
            return self.scanner.literal("null");
        }
        self.scanner.broken(if bracket == b'[' { "expected an array" } else { "expected an object" })
    }

    fn leave(&mut self, place: Place) {
        (self.place, self.is_first) = (place, false);
    }

    fn skip(&mut self) -> Scanned<()> {
        self.scanner.skip_value(JSON_DEPTH_MAX, &mut self.scratch)
    }

    /// The name of the next member, empty where it is none of ours; `None` where the object has ended.
    fn member(&mut self) -> Scanned<Option<&'a str>> {
        if !self.another(b'}')? {
            return Ok(None);
        }
        self.scratch.clear();
        Ok(Some(match self.scanner.key(&mut self.scratch)? {
            Text::Sent(name) => name,
            Text::Arena { .. } => "",
        }))
    }

    /// Whether another member or value follows, in what a bracket closes.
    fn another(&mut self, bracket: u8) -> Scanned<bool> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        if self.scanner.take(bracket) {
            return Ok(false);
        }
        match is_first || self.scanner.take(b',') {
            true => Ok(true),
            false => self.scanner.broken("expected ',' or the end of the object or array"),
        }
    }

    fn enter_resource(&mut self) -> Scanned<()> {
        self.resource.clear();
        self.knows_resource = false;
        self.enter(b'{', Place::Resource)
    }

    fn enter_scope(&mut self) -> Scanned<()> {
        self.scope.clear();
        self.knows_scope = false;
        self.enter(b'{', Place::Scope)
    }

    /// The records need their resource, which may stand behind them.
    fn enter_scopes(&mut self) -> Scanned<()> {
        if !self.knows_resource
            && let Some(text) = self.look_ahead("resource")?
        {
            self.learn_resource(text);
        }
        self.enter(b'[', Place::Scopes)
    }

    fn enter_records(&mut self) -> Scanned<()> {
        if !self.knows_scope
            && let Some(text) = self.look_ahead("scope")?
        {
            self.learn_scope(text);
        }
        self.enter(b'[', Place::Records)
    }

    /// The value of a later member of the object that the scanner stands in.
    fn look_ahead(&mut self, wanted: &str) -> Scanned<Option<&'a str>> {
        let mut ahead = Scanner { text: self.scanner.text, at: self.scanner.at() };
        loop {
            ahead.skip_value(JSON_DEPTH_MAX, &mut self.scratch)?;
            if !ahead.another_member()? {
                return Ok(None);
            }
            self.scratch.clear();
            let is_wanted = matches!(ahead.key(&mut self.scratch)?, Text::Sent(name) if name == wanted);
            if is_wanted {
                return slice_value(&mut ahead, &mut self.scratch).map(Some);
            }
        }
    }

    fn take_resource(&mut self) -> Scanned<()> {
        let text = slice_value(&mut self.scanner, &mut self.scratch)?;
        if !self.knows_resource {
            self.learn_resource(text);
        }
        Ok(())
    }

    fn take_scope(&mut self) -> Scanned<()> {
        let text = slice_value(&mut self.scanner, &mut self.scratch)?;
        if !self.knows_scope {
            self.learn_scope(text);
        }
        Ok(())
    }

    fn learn_resource(&mut self, object: &'a str) {
        self.knows_resource = true;
        self.resource.bytes = object.len();
        let read = self.read_resource(object);
        self.resource.hold(read);
    }

    fn read_resource(&mut self, object: &'a str) -> Read<()> {
        let mut scanner = Scanner::new(object);
        let Some(mut members) = members_of(&mut scanner, "resource")? else { return Ok(()) };
        while let Some(name) = members.next(&mut self.scratch)? {
            match name {
                Name::Known("attributes") => {
                    let Mapper { limits, flattener } = &mut self.mapper;
                    if let Some(list) = list(members.scanner, &mut self.scratch, "attributes")? {
                        self.resource.add(list, None, flattener, limits);
                    }
                }
                _ => skip(members.scanner, &mut self.scratch)?,
            }
        }
        Ok(())
    }

    fn learn_scope(&mut self, object: &'a str) {
        self.knows_scope = true;
        self.scope.bytes = object.len();
        let read = self.read_scope(object);
        self.scope.hold(read);
    }

    fn read_scope(&mut self, object: &'a str) -> Read<()> {
        let mut scanner = Scanner::new(object);
        let Some(mut members) = members_of(&mut scanner, "scope")? else { return Ok(()) };
        let mut attributes = None;
        while let Some(name) = members.next(&mut self.scratch)? {
            let is_text = members.scanner.peek() == Some(b'"');
            match name {
                Name::Known("name") if is_text => {
                    let name = text(members.scanner, self.scope.arena(), "name")?;
                    self.scope.add_text(mapping::SCOPE_NAME, name);
                }
                Name::Known("version") if is_text => {
                    let version = text(members.scanner, self.scope.arena(), "version")?;
                    self.scope.add_text(mapping::SCOPE_VERSION, version);
                }
                Name::Known("attributes") => {
                    attributes = list(members.scanner, &mut self.scratch, "attributes")?;
                }
                _ => skip(members.scanner, &mut self.scratch)?,
            }
        }
        // What it is called comes before what its attributes are called.
        if let Some(attributes) = attributes {
            let Mapper { limits, flattener } = &mut self.mapper;
            self.scope.add(attributes, Some(mapping::SCOPE), flattener, limits);
        }
        Ok(())
    }

    fn read(&mut self, draft: &mut Draft<'a>) -> Read<()> {
        self.mapper.name_service(draft, &self.resource);
        let record = log_record(&mut self.scanner, &mut draft.arena)?;
        self.mapper.put(draft, record, (&self.resource, &self.scope))
    }

    /// One record, which is next. What is no JSON breaks the whole request.
    fn piece(&mut self, draft: &mut Draft<'a>) -> Scanned<Piece<'a>> {
        self.scanner.peek();
        let offset = self.scanner.at();
        let read = self.read(draft);
        if read.is_err() {
            self.scanner.at = offset;
            self.scratch.clear();
            self.skip()?;
        }
        let raw = self.scanner.slice(offset, self.scanner.at()).as_bytes();
        let shared_bytes = self.resource.bytes + self.scope.bytes;
        Ok(Piece { offset, raw, shared_bytes, key: Key::None, read })
    }
}

impl<'a> Records<'a> for JsonRecords<'a> {
    fn next(&mut self, draft: &mut Draft<'a>) -> Option<Piece<'a>> {
        let found = match self.seek() {
            Ok(false) => return None,
            Ok(true) => self.piece(draft),
            Err(error) => Err(error),
        };
        found.map_err(|error| self.broken = Some(error)).ok()
    }
}

/// The members of an object; `None` where there is `null` instead.
fn members_of<'s, 'a>(scanner: &'s mut Scanner<'a>, what: &str) -> Read<Option<Members<'s, 'a>>> {
    if scanner.peek() == Some(b'n') {
        return Ok(None);
    }
    Members::enter(scanner, what).map(Some)
}
