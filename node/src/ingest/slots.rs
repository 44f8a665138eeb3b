//! The places of a draft for fields with a meaning, by all the names that clients give them.

use super::record::Value;

/// A place for a field with a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Timestamp,
    Service,
    Level,
    Message,
    LatencyMs,
    AtTimestamp,
    Time,
    Ts,
    Severity,
    Lvl,
    Msg,
    ServiceName,
    LogLevel,
}

const SLOTS: usize = 13;

impl Slot {
    pub(super) const ALL: [Slot; SLOTS] = [
        Slot::Timestamp,
        Slot::Service,
        Slot::Level,
        Slot::Message,
        Slot::LatencyMs,
        Slot::AtTimestamp,
        Slot::Time,
        Slot::Ts,
        Slot::Severity,
        Slot::Lvl,
        Slot::Msg,
        Slot::ServiceName,
        Slot::LogLevel,
    ];

    #[inline]
    pub(super) fn of(name: &str) -> Option<Slot> {
        let slot = match name.as_bytes() {
            b"timestamp" => Slot::Timestamp,
            b"service" => Slot::Service,
            b"level" => Slot::Level,
            b"message" => Slot::Message,
            b"latency_ms" => Slot::LatencyMs,
            b"@timestamp" => Slot::AtTimestamp,
            b"time" => Slot::Time,
            b"ts" => Slot::Ts,
            b"severity" => Slot::Severity,
            b"lvl" => Slot::Lvl,
            b"msg" => Slot::Msg,
            _ => return Slot::of_inner(name),
        };
        Some(slot)
    }

    /// What has a meaning within an object, by its flattened name: as the Elastic Common Schema and OpenTelemetry have it.
    #[inline]
    pub(super) fn of_inner(name: &str) -> Option<Slot> {
        match name.as_bytes() {
            b"service.name" => Some(Slot::ServiceName),
            b"log.level" => Some(Slot::LogLevel),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Slot::Timestamp => "timestamp",
            Slot::Service => "service",
            Slot::Level => "level",
            Slot::Message => "message",
            Slot::LatencyMs => "latency_ms",
            Slot::AtTimestamp => "@timestamp",
            Slot::Time => "time",
            Slot::Ts => "ts",
            Slot::Severity => "severity",
            Slot::Lvl => "lvl",
            Slot::Msg => "msg",
            Slot::ServiceName => "service.name",
            Slot::LogLevel => "log.level",
        }
    }

    pub(super) fn is_alias(self) -> bool {
        self as usize >= Slot::AtTimestamp as usize
    }
}

/// What the record holds in each slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slots<'a> {
    /// A bit for each slot that holds a value: emptying them costs nothing, record by record.
    filled: u16,
    values: [Value<'a>; SLOTS],
}

impl Default for Slots<'_> {
    fn default() -> Self {
        Slots { filled: 0, values: [Value::Null; SLOTS] }
    }
}

impl<'a> Slots<'a> {
    pub(super) fn clear(&mut self) {
        self.filled = 0;
    }

    #[inline]
    pub(super) fn get(&self, slot: Slot) -> Option<Value<'a>> {
        let is_filled = self.filled & 1 << slot as u16 != 0;
        self.values.get(slot as usize).copied().filter(|_| is_filled)
    }

    #[inline]
    pub(super) fn put(&mut self, slot: Slot, value: Value<'a>) {
        if let Some(place) = self.values.get_mut(slot as usize) {
            *place = value;
            self.filled |= 1 << slot as u16;
        }
    }

    #[inline]
    pub(super) fn take(&mut self, slot: Slot) -> Option<Value<'a>> {
        let value = self.get(slot);
        self.filled &= !(1 << slot as u16);
        value
    }

    /// The value of a field; `null` is as good as absent.
    pub(super) fn present(&self, slot: Slot) -> Option<Value<'a>> {
        self.get(slot).filter(|value| !matches!(value, Value::Null))
    }
}
