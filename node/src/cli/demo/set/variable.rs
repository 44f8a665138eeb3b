//! What fills the gaps of messages: ids, durations, amounts, addresses, paths.

use std::io::Write;

use super::services::{PATHS, Service};
use crate::cli::prng::Prng;

/// What the messages of one trace share.
#[derive(Debug, Clone)]
pub(super) struct Values<'a> {
    pub(super) latency_ms: f64,
    pub(super) user_id: u64,
    pub(super) order: u64,
    pub(super) sku: u64,
    pub(super) ip: u32,
    pub(super) country: &'static str,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) status: u16,
    /// The service behind the gateway.
    pub(super) callee: Service,
    pub(super) hostname: &'a str,
}

/// One kind of gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variable {
    Milliseconds,
    User,
    Order,
    Sku,
    Ip,
    Country,
    Method,
    Path,
    Status,
    Service,
    Hostname,
    Port,
    /// 1 to 5.
    Attempt,
    /// 1 to 48.
    Small,
    /// 0 to 999.
    Count,
    /// Up to ten million, small ones more often.
    Integer,
    Bytes,
    Size,
    Amount,
    Currency,
    Percent,
    Hex8,
    Hex16,
    Uuid,
    Word,
    Table,
}

const NAMES: [(&str, Variable); 26] = [
    ("ms", Variable::Milliseconds),
    ("user", Variable::User),
    ("order", Variable::Order),
    ("sku", Variable::Sku),
    ("ip", Variable::Ip),
    ("country", Variable::Country),
    ("method", Variable::Method),
    ("path", Variable::Path),
    ("status", Variable::Status),
    ("service", Variable::Service),
    ("hostname", Variable::Hostname),
    ("port", Variable::Port),
    ("attempt", Variable::Attempt),
    ("small", Variable::Small),
    ("count", Variable::Count),
    ("int", Variable::Integer),
    ("bytes", Variable::Bytes),
    ("size", Variable::Size),
    ("amount", Variable::Amount),
    ("currency", Variable::Currency),
    ("pct", Variable::Percent),
    ("hex8", Variable::Hex8),
    ("hex16", Variable::Hex16),
    ("uuid", Variable::Uuid),
    ("word", Variable::Word),
    ("table", Variable::Table),
];

pub(super) const COUNTRIES: [&str; 10] = ["DE", "FR", "US", "GB", "NL", "PL", "ES", "IT", "JP", "AU"];
const CURRENCIES: [&str; 4] = ["EUR", "USD", "GBP", "JPY"];
const TABLES: [&str; 5] = ["stock", "reservation", "movement", "warehouse_shelf", "order_line"];
const WORDS: [&str; 24] = [
    "lamp", "shoes", "garden", "winter", "red", "kettle", "bike", "chair", "phone", "cable", "desk", "paper",
    "cotton", "tent", "mirror", "coffee", "blue", "jacket", "speaker", "plant", "knife", "carpet", "summer",
    "watch",
];

impl Variable {
    pub(super) fn named(name: &str) -> Option<Variable> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, variable)| *variable)
    }

    /// Appends a value. No value holds a character that JSON escapes.
    pub(super) fn render(self, text: &mut Vec<u8>, values: &Values<'_>, prng: &mut Prng) {
        let written = match self {
            Variable::Milliseconds => write!(text, "{}", values.latency_ms.round()),
            Variable::User => write!(text, "{}", values.user_id),
            Variable::Order => write!(text, "ord_{:08x}", values.order),
            Variable::Sku => write!(text, "SKU-{:05}", values.sku),
            Variable::Ip => write_ip(text, values.ip),
            Variable::Country => text.write_all(values.country.as_bytes()),
            Variable::Method => text.write_all(values.method.as_bytes()),
            Variable::Path => write_path(text, values),
            Variable::Status => write!(text, "{}", values.status),
            Variable::Service => text.write_all(values.callee.name().as_bytes()),
            Variable::Hostname => text.write_all(values.hostname.as_bytes()),
            Variable::Port => write!(text, "{}", 20_000 + prng.below(40_000)),
            Variable::Attempt => write!(text, "{}", 1 + prng.below(5)),
            Variable::Small => write!(text, "{}", 1 + prng.below(48)),
            Variable::Count => write!(text, "{}", prng.below(1_000)),
            Variable::Integer => {
                let bound = 10 + prng.below(10_000_000);
                write!(text, "{}", prng.below(bound))
            }
            Variable::Bytes => write!(text, "{}", 200 + prng.below(60_000)),
            Variable::Size => write!(text, "{}.{} MiB", 1 + prng.below(900), prng.below(10)),
            Variable::Amount => write!(text, "{}.{:02}", 1 + prng.below(400), prng.below(100)),
            Variable::Currency => text.write_all(prng.pick(&CURRENCIES, "EUR").as_bytes()),
            Variable::Percent => write!(text, "0.{:03}", prng.below(1_000)),
            Variable::Hex8 => write!(text, "{:08x}", prng.next() as u32),
            Variable::Hex16 => write!(text, "{:016x}", prng.next()),
            Variable::Uuid => write_uuid(text, prng),
            Variable::Word => text.write_all(prng.pick(&WORDS, "lamp").as_bytes()),
            Variable::Table => text.write_all(prng.pick(&TABLES, "stock").as_bytes()),
        };
        debug_assert!(written.is_ok(), "a vector takes every text");
    }
}

fn write_ip(text: &mut Vec<u8>, ip: u32) -> std::io::Result<()> {
    let [_, second, third, fourth] = ip.to_be_bytes();
    write!(text, "10.{second}.{third}.{fourth}")
}

/// The path of the request, with the product or order where the route names one.
fn write_path(text: &mut Vec<u8>, values: &Values<'_>) -> std::io::Result<()> {
    debug_assert!(PATHS.contains(&values.path), "{} is no route", values.path);
    match values.path.split_once(':') {
        Some((before, "sku")) => write!(text, "{before}SKU-{:05}", values.sku),
        Some((before, _)) => write!(text, "{before}ord_{:08x}", values.order),
        None => text.write_all(values.path.as_bytes()),
    }
}

/// A random one, version 4 (RFC 9562).
fn write_uuid(text: &mut Vec<u8>, prng: &mut Prng) -> std::io::Result<()> {
    let (high, low) = (prng.next(), prng.next());
    let (first, second, third) = (high >> 32, (high >> 16) & 0xffff, high & 0xfff);
    let (fourth, fifth) = (0x8000 | ((low >> 48) & 0x3fff), low & 0xffff_ffff_ffff);
    write!(text, "{first:08x}-{second:04x}-4{third:03x}-{fourth:04x}-{fifth:012x}")
}
