//! What becomes of a log record of OpenTelemetry, in whichever encoding it came.
//!
//! A name that two have: the record's own attribute keeps it, and the other stands behind `resource.`, `scope.`, `body.` or
//! `client.`.

use insighthub_model::limits::IngestLimits;
use insighthub_model::{Level, Timestamp};

use super::shared::Shared;
use super::values::{Any, Flattener, Node, Taker};
use crate::ingest::fixed::CLIENT;
use crate::ingest::record::{Draft, Value};
use crate::ingest::rejection::Read;
use crate::ingest::scan_text::Text;
use crate::ingest::slots::Slot;

/// For a resource without a name: what the specification has SDKs send then.
const UNKNOWN_SERVICE: Text<'static> = Text::Sent("unknown_service");
const SERVICE_NAME: &str = "service.name";
/// What the environment is called, now and formerly.
const ENVIRONMENTS: [&str; 2] = ["deployment.environment.name", "deployment.environment"];
/// Numbers of severity have four steps to a level.
const STEPS: i64 = 4;
pub(super) const SCOPE: Text<'static> = Text::Sent("otel.scope");
pub(super) const SCOPE_NAME: &str = "otel.scope.name";
pub(super) const SCOPE_VERSION: &str = "otel.scope.version";

/// A log record: its parts as they were found.
pub(super) struct LogRecord<'a, N: Node<'a>> {
    pub time_unix_nano: u64,
    pub observed_time_unix_nano: u64,
    pub severity_number: i64,
    pub severity_text: Option<Text<'a>>,
    pub body: Option<N>,
    pub attributes: Option<N::Nodes>,
    pub flags: u32,
    /// In hexadecimal.
    pub trace_id: Option<Text<'a>>,
    pub span_id: Option<Text<'a>>,
    pub event_name: Option<Text<'a>>,
}

impl<'a, N: Node<'a>> Default for LogRecord<'a, N> {
    fn default() -> Self {
        LogRecord {
            time_unix_nano: 0,
            observed_time_unix_nano: 0,
            severity_number: 0,
            severity_text: None,
            body: None,
            attributes: None,
            flags: 0,
            trace_id: None,
            span_id: None,
            event_name: None,
        }
    }
}

/// Puts records into drafts.
#[derive(Debug)]
pub(super) struct Mapper<'l> {
    pub(super) limits: &'l IngestLimits,
    pub(super) flattener: Flattener,
}

impl Mapper<'_> {
    /// Names the service of a record. First of all: also one that is refused belongs to it.
    pub(super) fn name_service<'a>(&self, draft: &mut Draft<'a>, resource: &Shared<'a>) {
        match resource.text_of(SERVICE_NAME).filter(|name| !name.is_empty()) {
            Some(name) => {
                let name = draft.own_text(name);
                draft.slots.put(Slot::Service, Value::Text(name));
            }
            None => draft.service_otherwise = Some(UNKNOWN_SERVICE),
        }
    }

    /// Fills the draft, whose service is named.
    pub(super) fn put<'a, N: Node<'a>>(
        &mut self,
        draft: &mut Draft<'a>,
        record: LogRecord<'a, N>,
        (resource, scope): (&Shared<'a>, &Shared<'a>),
    ) -> Read<()> {
        let mut own = Fields { limits: self.limits, otherwise: CLIENT, skips_service: false };
        self.put_fixed(draft, &record, &mut own)?;
        if let Some(body) = record.body {
            self.put_body(draft, body)?;
        }
        if let Some(attributes) = record.attributes {
            self.flattener.members(attributes, None, (draft, self.limits), &mut own)?;
        }
        let mut of_scope = Fields { otherwise: Text::Sent("scope"), ..own };
        scope.put(draft, &mut of_scope)?;
        let skips_service = draft.service_otherwise.is_none();
        let mut of_resource = Fields { otherwise: Text::Sent("resource"), skips_service, ..own };
        resource.put(draft, &mut of_resource)?;
        put_environment(draft, resource, &mut of_resource)?;
        draft.message_otherwise = Some(record.event_name.unwrap_or(Text::Sent("")));
        Ok(())
    }

    fn put_fixed<'a, N: Node<'a>>(
        &self,
        draft: &mut Draft<'a>,
        record: &LogRecord<'a, N>,
        own: &mut Fields<'_>,
    ) -> Read<()> {
        let nanos =
            [record.time_unix_nano, record.observed_time_unix_nano].into_iter().find(|nanos| *nanos > 0);
        if let Some(nanos) = nanos {
            let moment = Timestamp(i64::try_from(nanos).unwrap_or(i64::MAX));
            draft.slots.put(Slot::Timestamp, Value::Moment(moment));
        }
        put_severity(draft, record.severity_number, record.severity_text, own)?;
        let texts =
            [("trace_id", record.trace_id), ("span_id", record.span_id), ("event_name", record.event_name)];
        for (name, text) in texts {
            if let Some(text) = text.filter(|text| !draft.text(*text).is_empty()) {
                own.take(draft, Text::Sent(name), Value::Text(text))?;
            }
        }
        // The lowest byte is what W3C calls trace flags, the others are reserved.
        match record.flags & 0xff {
            0 => Ok(()),
            flags => own.take(draft, Text::Sent("trace_flags"), Value::Int(i64::from(flags))),
        }
    }

    /// A text is the message. So is the JSON of anything else; members of a map are fields as well, and one called `message` is
    /// the message.
    fn put_body<'a, N: Node<'a>>(&mut self, draft: &mut Draft<'a>, body: N) -> Read<()> {
        let any = body.open(&mut draft.arena)?;
        match any {
            Any::Empty => return Ok(()),
            Any::Text(text) => {
                draft.slots.put(Slot::Message, Value::Text(text));
                return Ok(());
            }
            Any::Map(members) => {
                let mut of_body =
                    Fields { limits: self.limits, otherwise: Text::Sent("body"), skips_service: false };
                self.flattener.members(members, None, (draft, self.limits), &mut of_body)?;
                if draft.slots.get(Slot::Message).is_some() {
                    return Ok(());
                }
            }
            _ => {}
        }
        let any = body.open(&mut draft.arena)?;
        let text = match self.flattener.value(any, (draft, self.limits), 0)? {
            Value::Text(text) | Value::Array(text) => text,
            Value::Bool(value) => draft.own_text(if value { "true" } else { "false" }),
            Value::Int(value) => draft.own_text(&value.to_string()),
            Value::Float(value) => draft.own_text(&format!("{value:?}")),
            _ => return Ok(()),
        };
        draft.slots.put(Slot::Message, Value::Text(text));
        Ok(())
    }
}

/// The level, and what of the severity it does not say.
fn put_severity<'a>(
    draft: &mut Draft<'a>,
    number: i64,
    text: Option<Text<'a>>,
    own: &mut Fields<'_>,
) -> Read<()> {
    let text = text.filter(|text| !draft.text(*text).is_empty());
    let named = text.and_then(|text| draft.text(text).trim_ascii().parse::<Level>().ok());
    let level = match number {
        1..=24 => u8::try_from((number - 1) / STEPS).ok().and_then(Level::from_number),
        _ => named,
    };
    if let Some(level) = level {
        draft.slots.put(Slot::Level, Value::Text(Text::Sent(level.name())));
    }
    if number != 0 && (number % STEPS != 1 || !(1..=24).contains(&number)) {
        own.take(draft, Text::Sent("severity_number"), Value::Int(number))?;
    }
    let says_more = |text: &str| level.is_none_or(|level| !text.eq_ignore_ascii_case(level.name()));
    match text.filter(|text| says_more(draft.text(*text))) {
        Some(text) => own.take(draft, Text::Sent("severity_text"), Value::Text(text)),
        None => Ok(()),
    }
}

/// The environment by the name it has here, unless the record says it itself.
fn put_environment<'a>(draft: &mut Draft<'a>, resource: &Shared<'a>, fields: &mut Fields<'_>) -> Read<()> {
    let Some(environment) = ENVIRONMENTS.into_iter().find_map(|name| resource.text_of(name)) else {
        return Ok(());
    };
    if draft.fields.iter().any(|(name, _)| draft.text(*name) == "env") {
        return Ok(());
    }
    let environment = draft.own_text(environment);
    fields.take(draft, Text::Sent("env"), Value::Text(environment))
}

/// Where fields go: to the record.
#[derive(Clone, Copy, Debug)]
struct Fields<'l> {
    limits: &'l IngestLimits,
    /// In front of a name that is taken.
    otherwise: Text<'static>,
    /// The name of the service is in its place already.
    skips_service: bool,
}

impl<'a> Taker<'a> for Fields<'_> {
    fn take(&mut self, draft: &mut Draft<'a>, name: Text<'a>, value: Value<'a>) -> Read<()> {
        if self.skips_service && draft.text(name) == SERVICE_NAME {
            return Ok(());
        }
        let before = draft.fields.len();
        draft.attribute(name, value, self.limits)?;
        let Some(taken) = earlier(draft, before) else { return Ok(()) };
        draft.fields.pop();
        if is_same(draft, taken, value) {
            return Ok(());
        }
        let name = draft.joined(self.otherwise, name);
        draft.attribute(name, value, self.limits)?;
        // Three of one name: the specification allows not even two.
        if earlier(draft, before).is_some() {
            draft.fields.pop();
        }
        Ok(())
    }
}

/// The value of an earlier field of the name that the one at this place has.
fn earlier<'a>(draft: &Draft<'a>, place: usize) -> Option<Value<'a>> {
    let (name, _) = draft.fields.get(place)?;
    let name = draft.text(*name);
    let mut before = draft.fields.iter().take(place);
    before.find_map(|(other, value)| (draft.text(*other) == name).then_some(*value))
}

fn is_same(draft: &Draft<'_>, one: Value<'_>, other: Value<'_>) -> bool {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) | (Value::Array(one), Value::Array(other)) => {
            draft.text(one) == draft.text(other)
        }
        (Value::Int(one), Value::Int(other)) => one == other,
        (Value::Float(one), Value::Float(other)) => one == other,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Null, Value::Null) | (Value::Object, Value::Object) => true,
        _ => false,
    }
}
