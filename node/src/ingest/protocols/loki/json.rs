//! A push as JSON: `{"streams": [{"stream": {labels}, "values": [[time, line, {metadata}]]}]}`, and the form before Loki 1.0,
//! `{"labels": "{...}", "entries": [{"ts": ..., "line": ...}]}`.

use insighthub_model::Timestamp;
use insighthub_model::limits::IngestLimits;

use super::entries::{Entries, Entry, Unread, moment};
use super::labels;
use crate::ingest::rejection::{Read, RecordError, RequestError};
use crate::ingest::scan::{Scanned, Scanner};
use crate::ingest::scan_text::Text;

/// Depth to which members that mean nothing here are looked through.
const DEPTH_MAX: usize = 16;

/// Why reading ends.
enum Stop {
    /// The rest is kept and refused.
    Here(Box<RecordError>),
    Request(RequestError),
}

impl From<RequestError> for Stop {
    fn from(error: RequestError) -> Stop {
        Stop::Request(error)
    }
}

type Step<T> = Result<T, Stop>;

pub(super) fn read<'a>(body: &'a [u8], limits: &IngestLimits) -> Result<Entries<'a>, RequestError> {
    let text = std::str::from_utf8(body).map_err(|error| {
        RequestError::Broken(format!("it is not UTF-8 at byte {}", error.valid_up_to() + 1))
    })?;
    let mut push = Push {
        entries: Entries::default(),
        scanner: Scanner::new(text),
        limits,
        offset: 0,
        names: String::new(),
    };
    match push.request() {
        Ok(()) => Ok(push.entries),
        Err(Stop::Request(error)) => Err(error),
        Err(Stop::Here(error)) => {
            let offset = push.offset;
            let raw = body.get(offset..).unwrap_or_default();
            push.entries.unread = Some(Unread { offset, raw, error: *error });
            Ok(push.entries)
        }
    }
}

struct Push<'l, 'a> {
    entries: Entries<'a>,
    scanner: Scanner<'a>,
    limits: &'l IngestLimits,
    /// Up to where everything is an entry.
    offset: usize,
    /// Names of members that hold an escape.
    names: String,
}

impl<'a> Push<'_, 'a> {
    fn request(&mut self) -> Step<()> {
        self.object(|push, name| match name {
            "streams" => push.array(|push| push.stream()),
            _ => push.skip(),
        })?;
        match self.scanner.peek() {
            None => Ok(()),
            Some(_) => Err(broken("there is text after the end of the push")),
        }
    }

    fn stream(&mut self) -> Step<()> {
        let stream = self.entries.begin_stream();
        self.object(|push, name| match name {
            "stream" => {
                let labels = push.pairs()?;
                push.entries.set_labels(stream, labels);
                Ok(())
            }
            "labels" => {
                let text = push.text("labels must be text")?;
                // Of what was sent with escapes, what counts is what they stand for.
                let labels = match text {
                    Text::Sent(sent) => labels::read(sent, &mut push.entries.arena),
                    Text::Arena { .. } => owned_labels(text, &mut push.entries.arena),
                };
                push.entries.set_labels(stream, labels.map_err(Stop::Here)?);
                Ok(())
            }
            "values" => push.array(|push| push.value(stream)),
            "entries" => push.array(|push| push.old_entry(stream)),
            _ => push.skip(),
        })
    }

    /// `[time, line]` or `[time, line, {metadata}]`.
    fn value(&mut self, stream: usize) -> Step<()> {
        let offset = self.scanner.at();
        let (mut place, mut metadata) = (0, 0..0);
        let mut time = Err(RecordError::field("timestamp", "an entry has no time"));
        let mut line = None;
        self.array(|push| {
            place += 1;
            match place {
                1 => time = push.time()?,
                2 => line = Some(push.text("the line of an entry must be text")?),
                3 if push.scanner.peek() == Some(b'{') => {
                    let pairs = push.pairs()?;
                    metadata = push.entries.keep(pairs);
                }
                _ => push.skip()?,
            }
            Ok(())
        })?;
        let moment = match line {
            Some(_) => time,
            None => Err(RecordError::field("message", "an entry must be [time, line], this one has no line")),
        };
        self.push(Entry { offset, stream, moment, line: line.unwrap_or(Text::Sent("")), metadata })
    }

    /// `{"ts": RFC 3339, "line": ...}`.
    fn old_entry(&mut self, stream: usize) -> Step<()> {
        let offset = self.scanner.at();
        let mut moment = Err(RecordError::field("timestamp", "an entry has no ts"));
        let mut line = Text::Sent("");
        self.object(|push, name| {
            match name {
                "ts" | "timestamp" => {
                    let text = push.text("ts must be text")?;
                    let parsed = Timestamp::parse(push.entries.text(text));
                    moment = parsed.map_err(|error| RecordError::field("timestamp", error.to_string()));
                }
                "line" => line = push.text("line must be text")?,
                _ => push.skip()?,
            }
            Ok(())
        })?;
        self.push(Entry { offset, stream, moment, line, metadata: 0..0 })
    }

    fn push(&mut self, entry: Entry<'a>) -> Step<()> {
        self.entries.push(entry, self.limits)?;
        self.offset = self.scanner.at();
        Ok(())
    }

    /// A time that cannot be read refuses its entry alone.
    fn time(&mut self) -> Step<Read<Timestamp>> {
        match self.scanner.peek() {
            Some(b'"') => {
                let text = self.text("")?;
                Ok(moment(self.entries.text(text)))
            }
            Some(b'-' | b'0'..=b'9') => {
                let number = self.scanner.number();
                number.map(moment).map_err(scan)
            }
            _ => {
                self.skip()?;
                Ok(moment("null"))
            }
        }
    }

    /// An object of texts; other values are taken as they are written.
    fn pairs(&mut self) -> Step<Vec<(Text<'a>, Text<'a>)>> {
        let mut pairs = Vec::new();
        if !self.scanner.take(b'{') {
            return Err(broken("expected an object of labels"));
        }
        if self.scanner.take(b'}') {
            return Ok(pairs);
        }
        loop {
            let name = self.scanner.key(&mut self.entries.arena).map_err(scan)?;
            let value = match self.scanner.peek() {
                Some(b'"') => self.scanner.string(&mut self.entries.arena).map_err(scan)?,
                _ => {
                    let start = self.scanner.at();
                    self.skip()?;
                    Text::Sent(self.scanner.slice(start, self.scanner.at()))
                }
            };
            if pairs.len() >= self.limits.fields_max {
                return Err(broken("a stream or an entry has too many labels"));
            }
            pairs.push((name, value));
            if !self.scanner.another_member().map_err(scan)? {
                return Ok(pairs);
            }
        }
    }

    fn text(&mut self, otherwise: &'static str) -> Step<Text<'a>> {
        if self.scanner.peek() != Some(b'"') {
            return Err(broken(otherwise));
        }
        self.scanner.string(&mut self.entries.arena).map_err(scan)
    }

    fn skip(&mut self) -> Step<()> {
        self.scanner.skip_value(DEPTH_MAX, &mut self.names).map_err(scan)
    }

    /// Calls for each member, whose value is to be taken.
    fn object(&mut self, mut member: impl FnMut(&mut Self, &str) -> Step<()>) -> Step<()> {
        if !self.scanner.take(b'{') {
            return Err(broken("expected an object"));
        }
        if self.scanner.take(b'}') {
            return Ok(());
        }
        loop {
            let name = self.name().map_err(scan)?;
            member(self, &name)?;
            if !self.scanner.another_member().map_err(scan)? {
                return Ok(());
            }
        }
    }

    /// The name of a member of a stream: there are few, so that a copy does not show.
    fn name(&mut self) -> Scanned<String> {
        self.names.clear();
        let name = self.scanner.key(&mut self.names)?;
        Ok(name.of(&self.names).to_owned())
    }

    /// Calls for each item, which is to be taken.
    fn array(&mut self, mut item: impl FnMut(&mut Self) -> Step<()>) -> Step<()> {
        if !self.scanner.take(b'[') {
            return Err(broken("expected an array"));
        }
        if self.scanner.take(b']') {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.scanner.take(b']') {
                return Ok(());
            }
            if !self.scanner.take(b',') {
                return Err(broken("expected ',' or ']'"));
            }
        }
    }
}

/// Labels of a text that is itself in the arena: they are copied to its end.
fn owned_labels<'a>(text: Text<'a>, arena: &mut String) -> Read<Vec<(Text<'a>, Text<'a>)>> {
    let sent = text.of(arena).to_owned();
    let mut inner = String::new();
    let labels = labels::read(&sent, &mut inner)?;
    let mut keep = |text: Text<'_>| {
        let start = arena.len();
        arena.push_str(text.of(&inner));
        Text::Arena { start, end: arena.len() }
    };
    Ok(labels.into_iter().map(|(name, value)| (keep(name), keep(value))).collect())
}

fn broken(problem: &'static str) -> Stop {
    Stop::Here(RecordError::whole(problem))
}

fn scan(error: crate::ingest::scan::ScanError) -> Stop {
    Stop::Here(RecordError::scan(error, None))
}
