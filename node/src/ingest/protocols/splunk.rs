//! What is sent to Splunk's HTTP event collector: events as JSON objects one behind the other, or lines of text.
//! `docs/splunk.md` says what becomes which field.

use insighthub_model::limits::IngestLimits;

use super::super::fixed::{self, CLIENT};
use super::super::framing;
use super::super::key::Key;
use super::super::number::{Number, classify};
use super::super::reader;
use super::super::record::{Draft, Value};
use super::super::records::{Piece, Records};
use super::super::rejection::{Read, RecordError};
use super::super::scan::Scanner;
use super::super::scan_text::{Text, push_compact};
use super::super::slots::Slot;
use super::{level_in_text, payload};

pub const EVENT_REQUIRED: &str = "the member event is required";
pub const EVENT_BLANK: &str = "the member event must not be empty";
/// What an event says of itself beside what happened.
const ABOUT: [&str; 4] = ["host", "source", "sourcetype", "index"];
/// The service is the first of these that can be one.
const SERVICES: [&str; 4] = ["source", "sourcetype", "index", "host"];
const SERVICE_OTHERWISE: &str = "splunk";
/// Members of an event that hold its text, where it has no message. Splunk's own loggers put an object into `message`.
const TEXTS: [&str; 5] = ["event", "line", "log", "message.msg", "message.message"];

/// How a body is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplunkBody {
    pub form: SplunkForm,
    /// What the request says of events that do not say it themselves, in the order of host, source, sourcetype and index.
    pub about: [Option<String>; 4],
    /// When they happened.
    pub time: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplunkForm {
    Events,
    Raw,
}

/// The events of a body.
#[derive(Debug)]
pub(super) struct SplunkRecords<'a> {
    body: &'a [u8],
    /// The body of events, where all of it is text: then an event is read to its end without that being looked for first.
    text: Option<&'a str>,
    at: usize,
    how: &'a SplunkBody,
    limits: &'a IngestLimits,
}

impl<'a> SplunkRecords<'a> {
    pub(super) fn new(body: &'a [u8], how: &'a SplunkBody, limits: &'a IngestLimits) -> SplunkRecords<'a> {
        let text = if how.form == SplunkForm::Events { std::str::from_utf8(body).ok() } else { None };
        SplunkRecords { body, text, at: 0, how, limits }
    }

    fn skip(&mut self, is_between: impl Fn(&u8) -> bool) {
        let rest = self.body.get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|byte| is_between(byte)).count();
    }

    fn piece(&mut self, length: usize, read: Read<()>) -> Option<Piece<'a>> {
        let offset = self.at;
        self.at += length;
        let raw = self.body.get(offset..self.at)?;
        Some(Piece { offset, raw, shared_bytes: 0, key: Key::None, read })
    }

    fn next_event(&mut self, draft: &mut Draft<'a>) -> Option<Piece<'a>> {
        // Some put them into an array.
        self.skip(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b',' | b'[' | b']' | 0));
        if let Some(text) = self.text.and_then(|text| text.get(self.at..))
            && let Ok((members, length)) = members(draft, text, self.limits)
        {
            let read = self.read_event(draft, &members);
            return self.piece(length, read);
        }
        let end = framing::value_end(self.body, self.at).filter(|end| *end > self.at);
        let raw = self.body.get(self.at..end.unwrap_or(self.body.len())).filter(|raw| !raw.is_empty())?;
        let text = std::str::from_utf8(raw).map_err(|_| not_text());
        let members = text.and_then(|text| members(draft, text, self.limits));
        let read = members.and_then(|(members, _)| self.read_event(draft, &members));
        self.piece(raw.len(), read)
    }

    fn next_line(&mut self, draft: &mut Draft<'a>) -> Option<Piece<'a>> {
        self.skip(|byte| matches!(byte, b'\n' | b'\r'));
        let rest = self.body.get(self.at..).filter(|rest| !rest.is_empty())?;
        let raw = rest.get(..memchr::memchr(b'\n', rest).unwrap_or(rest.len()))?;
        let text = std::str::from_utf8(raw).map_err(|_| not_text());
        let read = text.map(|text| self.read_line(draft, text.trim_end_matches('\r')));
        self.piece(raw.len(), read)
    }
}

#[cold]
fn not_text() -> Box<RecordError> {
    RecordError::whole("the event is not UTF-8")
}

impl<'a> Records<'a> for SplunkRecords<'a> {
    fn next(&mut self, draft: &mut Draft<'a>) -> Option<Piece<'a>> {
        match self.how.form {
            SplunkForm::Events => self.next_event(draft),
            SplunkForm::Raw => self.next_line(draft),
        }
    }
}

/// The members of an event's object, as they were sent.
#[derive(Default)]
struct Members<'a> {
    event: Option<&'a str>,
    time: Option<&'a str>,
    fields: Option<&'a str>,
    about: [Option<&'a str>; 4],
}

impl<'a> SplunkRecords<'a> {
    fn read_event(&self, draft: &mut Draft<'a>, members: &Members<'a>) -> Read<()> {
        let event = members.event.ok_or_else(|| RecordError::field("event", EVENT_REQUIRED))?;
        read_what_happened(draft, event, self.limits)?;
        draft.make_way_for(&ABOUT);
        let time = members.time.map(|time| moment(draft, time)).transpose()?;
        self.put_time(draft, time);
        let sent = |at: usize| members.about.get(at).copied().flatten();
        for (at, name) in ABOUT.into_iter().enumerate() {
            let value = sent(at).map(|sent| value(draft, sent)).transpose()?;
            let value = value.filter(|value| !matches!(value, Value::Null)).or_else(|| self.said(at));
            if let Some(value) = value {
                draft.fields.push((Text::Sent(name), value));
            }
        }
        if let Some(fields) = members.fields.filter(|fields| fields.starts_with('{')) {
            reader::read_attributes(draft, fields, self.limits)?;
        }
        self.settle(draft);
        Ok(())
    }

    fn read_line(&self, draft: &mut Draft<'a>, line: &'a str) {
        payload::read(draft, line, self.limits);
        draft.make_way_for(&ABOUT);
        self.put_time(draft, None);
        for (at, name) in ABOUT.into_iter().enumerate() {
            draft.fields.extend(self.said(at).map(|value| (Text::Sent(name), value)));
        }
        self.settle(draft);
    }

    fn said(&self, at: usize) -> Option<Value<'a>> {
        let said = self.how.about.get(at)?.as_deref()?;
        Some(Value::Text(Text::Sent(said)))
    }

    /// The time beside an event is the event's; one within it is a field.
    fn put_time(&self, draft: &mut Draft<'a>, time: Option<Value<'a>>) {
        let otherwise = self.how.time.as_deref().map(|time| Value::Text(Text::Sent(time)));
        let Some(time) = time.filter(|time| !matches!(time, Value::Null)).or(otherwise) else { return };
        let time = numbered(draft, time);
        if !fixed::fits(draft, Slot::Timestamp, time) {
            let name = draft.joined(CLIENT, Text::Sent(Slot::Time.name()));
            return draft.fields.push((name, time));
        }
        if let Some(inner) = draft.slots.take(Slot::Timestamp) {
            let name = draft.joined(CLIENT, Text::Sent(Slot::Timestamp.name()));
            draft.fields.push((name, inner));
        }
        draft.slots.put(Slot::Timestamp, time);
    }

    fn settle(&self, draft: &mut Draft<'a>) {
        let service = SERVICES.into_iter().find_map(|wanted| {
            let text = draft.text_field(wanted)?;
            let is_service =
                fixed::service_problem(draft.text(text), self.limits.service_bytes_max).is_none();
            is_service.then_some(text)
        });
        draft.service_otherwise = Some(service.unwrap_or(Text::Sent(SERVICE_OTHERWISE)));
        fixed::let_go_of_misfits(draft);
        put_level_of_text(draft);
        draft.join_repeated();
    }
}

/// The members of the object that a text begins with, and how long it is.
fn members<'a>(draft: &mut Draft<'a>, text: &'a str, limits: &IngestLimits) -> Read<(Members<'a>, usize)> {
    let mut members = Members::default();
    let mut scanner = Scanner::new(text);
    let unnamed = |error| RecordError::scan(error, None);
    if !scanner.take(b'{') {
        return Err(RecordError::whole("an event must be a JSON object"));
    }
    if scanner.take(b'}') {
        return Ok((members, scanner.at()));
    }
    loop {
        let key = scanner.key(&mut draft.arena).map_err(unnamed)?;
        scanner.peek();
        let start = scanner.at();
        scanner.skip_value(limits.depth_max + 1, &mut draft.arena).map_err(unnamed)?;
        let value = Some(scanner.slice(start, scanner.at()));
        match draft.text(key) {
            "event" => members.event = value,
            "time" => members.time = value,
            "fields" => members.fields = value,
            name => {
                let at = ABOUT.iter().position(|about| *about == name);
                if let Some(place) = at.and_then(|at| members.about.get_mut(at)) {
                    *place = value;
                }
            }
        }
        if !scanner.another_member().map_err(unnamed)? {
            return Ok((members, scanner.at()));
        }
    }
}

/// Most loggers for the collector send a text that they have formatted, and their level nowhere else.
fn put_level_of_text(draft: &mut Draft<'_>) {
    let Some(Value::Text(text)) = draft.slots.get(Slot::Message) else { return };
    if !fixed::says_level(draft)
        && let Some(level) = level_in_text::find(draft.text(text))
    {
        draft.slots.put(Slot::Level, Value::Text(Text::Sent(level.name())));
    }
}

/// A text is a message; the members of an object are fields.
fn read_what_happened<'a>(draft: &mut Draft<'a>, event: &'a str, limits: &IngestLimits) -> Read<()> {
    draft.clear();
    if event == "null" || event == "\"\"" {
        return Err(RecordError::field("event", EVENT_BLANK));
    }
    if event.starts_with('{') {
        reader::read_foreign(draft, event, limits)?;
        if draft.slots.present(Slot::Message).or(draft.slots.present(Slot::Msg)).is_none() {
            let told = TEXTS.into_iter().find_map(|wanted| draft.text_field(wanted));
            draft.message_otherwise = Some(told.unwrap_or_else(|| compact(draft, event)));
        }
        return Ok(());
    }
    let message = match value(draft, event)? {
        Value::Text(text) => text,
        _ => compact(draft, event),
    };
    draft.slots.put(Slot::Message, Value::Text(message));
    Ok(())
}

fn compact<'a>(draft: &mut Draft<'a>, json: &str) -> Text<'a> {
    let start = draft.arena.len();
    push_compact(json, &mut draft.arena);
    Text::Arena { start, end: draft.arena.len() }
}

/// A value that is no object, as it was sent.
fn value<'a>(draft: &mut Draft<'a>, sent: &'a str) -> Read<Value<'a>> {
    match sent.as_bytes().first() {
        Some(b'"') => {
            let text = Scanner::new(sent).string(&mut draft.arena);
            text.map(Value::Text).map_err(|error| RecordError::scan(error, None))
        }
        Some(b'-' | b'0'..=b'9') => Ok(number(sent)),
        _ if sent == "null" => Ok(Value::Null),
        _ => Ok(Value::Text(Text::Sent(sent))),
    }
}

/// A decimal number is nearly always one of seconds.
fn moment<'a>(draft: &mut Draft<'a>, sent: &'a str) -> Read<Value<'a>> {
    match fixed::decimal_epoch(sent) {
        Some(moment) => Ok(Value::Moment(moment)),
        None => value(draft, sent),
    }
}

fn number(sent: &str) -> Value<'_> {
    match classify(sent) {
        Number::Int(number) => Value::Int(number),
        Number::Float(number) => Value::Float(number),
        Number::Text | Number::TooLarge => Value::LongNumber(sent),
    }
}

/// Times come as numbers in quotes, too.
fn numbered<'a>(draft: &Draft<'a>, time: Value<'a>) -> Value<'a> {
    let Value::Text(Text::Sent(text)) = time else { return time };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    let found = is_number.then(|| number(text)).filter(|number| fixed::fits(draft, Slot::Timestamp, *number));
    found.unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(body: impl AsRef<[u8]>, form: SplunkForm) -> Vec<Result<serde_json::Value, String>> {
        let limits = IngestLimits::default();
        let about = [Some("asked-host".to_owned()), None, None, None];
        let how = SplunkBody { form, about, time: None };
        let (mut records, mut draft) = (SplunkRecords::new(body.as_ref(), &how, &limits), Draft::default());
        let mut found = Vec::new();
        loop {
            draft.clear();
            let Some(piece) = records.next(&mut draft) else { return found };
            found.push(piece.read.map_err(|error| error.reason).map(|()| {
                let mut record: serde_json::Value = serde_json::from_str(&draft.to_json()).unwrap();
                record["service"] = draft.service().unwrap().into();
                record["otherwise"] = draft.message_otherwise.map(|text| draft.text(text).to_owned()).into();
                record
            }));
        }
    }

    #[test]
    fn events_follow_each_other_without_anything_between() {
        let body = r#"{"time":1433188255.500,"host":"web","source":"app","sourcetype":"json","index":"main","event":"one","fields":{"a":"b","n":["x","y"]}}{"event":{"msg":"two","level":"error","timestamp":"2020-01-01T00:00:00Z","host":"inner"},"time":"1433188256"}
            [{"event":{"line":"three","n":1}},{"event":{"k": [1, 2]}}]{"event":7}"#;
        let found: Vec<_> = read_all(body, SplunkForm::Events).into_iter().map(Result::unwrap).collect();
        let expected = serde_json::json!([
            {"timestamp": "2015-06-01T19:50:55.500Z", "message": "one", "service": "app", "host": "web", "source": "app", "sourcetype": "json",
             "index": "main", "a": "b", "n": ["x", "y"], "otherwise": null},
            {"timestamp": 1433188256, "level": "error", "msg": "two", "service": "asked-host", "host": "asked-host",
             "client.host": "inner", "client.timestamp": "2020-01-01T00:00:00Z", "otherwise": null},
            {"service": "asked-host", "host": "asked-host", "line": "three", "n": 1, "otherwise": "three"},
            {"service": "asked-host", "host": "asked-host", "k": [1, 2], "otherwise": "{\"k\":[1,2]}"},
            {"message": "7", "service": "asked-host", "host": "asked-host", "otherwise": null},
        ]);
        assert_eq!(serde_json::Value::from(found), expected);
    }

    #[test]
    fn events_that_are_none_are_told_and_do_not_take_others_with_them() {
        let body = r#"{"event":null}{"host":"x"}{"event":""}{"event":"good"}7{"event":"cut"#;
        let found = read_all(body, SplunkForm::Events);
        let reasons: Vec<_> =
            found.iter().map(|read| read.as_ref().map_or_else(String::as_str, |_| "good")).collect();
        assert_eq!(reasons[..4], [EVENT_BLANK, EVENT_REQUIRED, EVENT_BLANK, "good"]);
        assert_eq!(reasons[4], "an event must be a JSON object");
        assert!(reasons.len() == 6 && reasons[5].starts_with("the JSON is broken"), "{reasons:?}");
    }

    #[test]
    fn events_of_splunks_own_loggers_keep_what_they_hold() {
        let body = r#"{"event":{"message":{"msg":"paid","meta":{"order":7,"level":"info"}},"severity":"warn"},"source":"s"}
            {"event":{"message":{"b":[1]},"msg":"beside","level":{"name":"x"},"latency_ms":{}},"source":"s"}"#;
        let found: Vec<_> = read_all(body, SplunkForm::Events).into_iter().map(Result::unwrap).collect();
        let expected = serde_json::json!([
            {"severity": "warn", "service": "s", "host": "asked-host", "source": "s", "message.msg": "paid",
             "message.meta.order": 7, "message.meta.level": "info", "otherwise": "paid"},
            {"msg": "beside", "service": "s", "host": "asked-host", "source": "s", "message.b": [1], "level.name": "x",
             "client.latency_ms": {}, "otherwise": null},
        ]);
        assert_eq!(serde_json::Value::from(found), expected);
    }

    #[test]
    fn a_level_is_taken_from_the_text_where_nothing_else_says_it() {
        let body = r#"{"event":"ERROR no route"}{"event":"ERROR no route","fields":{"level":"warn"}}{"event":{"message":"FATAL x","severity":"info"}}{"event":"no error"}"#;
        let found: Vec<_> = read_all(body, SplunkForm::Events).into_iter().map(Result::unwrap).collect();
        let said: Vec<_> = found.iter().map(|record| (&record["level"], &record["severity"])).collect();
        let (none, text) = (&serde_json::Value::Null, |text: &str| serde_json::Value::from(text));
        let wanted = [(&text("ERROR"), none), (&text("warn"), none), (none, &text("info")), (none, none)];
        assert_eq!(said, wanted);
        let lines = read_all("2026-01-31 WARN slow\n", SplunkForm::Raw);
        assert_eq!(lines[0].as_ref().unwrap()["level"], "WARN");
    }

    #[test]
    fn what_is_no_text_costs_its_own_event_alone() {
        let good = r#"{"event":"first","time":1433188255.25} {"event":{"message":"é","a":[1,{"b":"}"}]}},{"event":cut}{"event":"last"}"#;
        let body = [good.as_bytes(), b"{\"event\":\"\xff\"}{\"event\":\"after\"}"].concat();
        let (alone, found) = (read_all(good, SplunkForm::Events), read_all(body, SplunkForm::Events));
        assert_eq!((alone.len(), &found[..4]), (4, &alone[..]));
        assert_eq!(found[4], Err("the event is not UTF-8".to_owned()));
        assert_eq!((found.len(), &found[5].as_ref().unwrap()["message"]), (6, &"after".into()));
    }

    #[test]
    fn raw_lines_are_messages_or_objects() {
        let found = read_all("first\r\n\n{\"msg\":\"second\"}\nlast", SplunkForm::Raw);
        let messages: Vec<_> = found.into_iter().map(|read| read.unwrap()).collect();
        assert_eq!((&messages[0]["message"], &messages[1]["msg"]), (&"first".into(), &"second".into()));
        assert_eq!((messages.len(), &messages[2]["message"]), (3, &"last".into()));
    }
}
