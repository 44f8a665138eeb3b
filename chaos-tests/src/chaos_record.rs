//! Records of the load: each has an identity and can be told from an altered copy of itself.

use std::hash::{DefaultHasher, Hash, Hasher};

use insighthub_model::{Level, Timestamp};
use serde_json::{Value, json};

pub const SERVICES: [&str; 6] = ["checkout", "payment-service", "auth", "search", "inventory", "web-gateway"];
/// What a record's hash covers; what the system adds is left out.
const HASHED: [&str; 10] = [
    "chaos_id",
    "timestamp",
    "service",
    "level",
    "message",
    "latency_ms",
    "number",
    "share",
    "flag",
    "http.status",
];

/// One record to send.
#[derive(Debug, Clone)]
pub struct ChaosRecord {
    pub id: String,
    pub json: Value,
    pub hash: u64,
    /// Broken on purpose: the node must reject it and keep it as a dead letter.
    pub is_broken: bool,
}

impl ChaosRecord {
    /// The same record of another service.
    #[must_use]
    pub fn of_service(mut self, service: &str) -> ChaosRecord {
        if let Some(fields) = self.json.as_object_mut() {
            fields.insert("service".to_owned(), json!(service));
        }
        self.hash = content_hash(&self.json);
        self
    }

    /// Records as lines of JSON.
    pub fn lines(batch: &[ChaosRecord]) -> Vec<u8> {
        batch.iter().flat_map(|record| format!("{}\n", record.json).into_bytes()).collect()
    }
}

/// Makes the records of one writer, the same ones for the same seed.
#[derive(Debug, Clone)]
pub struct RecordSource {
    pub writer: String,
    pub seed: u64,
    /// Timestamps start here and grow by 7 ms, so that a run crosses several minutes.
    pub start: Timestamp,
    /// Every so many records one is broken; 0 means none.
    pub broken_every: u64,
}

impl RecordSource {
    pub fn record(&self, number: u64) -> ChaosRecord {
        let id = format!("{}/{number}", self.writer);
        let dice = mixed(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let service = SERVICES.get((dice % 6) as usize).copied().unwrap_or("checkout");
        let level = Level::ALL.get((dice / 6 % 6) as usize).copied().unwrap_or_default();
        let mut json = json!({
            "timestamp": Timestamp::from_millis(self.start.millis() + number as i64 * 7).to_string(),
            "service": service,
            "level": level.name(),
            "message": message(dice, &id),
            "chaos_id": id,
            "number": number,
            "share": (dice % 1_000) as f64 / 8.0,
            "flag": dice.is_multiple_of(2),
            "http.status": 200 + dice % 5 * 100,
        });
        let is_broken = self.broken_every > 0 && number % self.broken_every == self.broken_every - 1;
        if let Some(fields) = json.as_object_mut() {
            if is_broken {
                fields.insert("latency_ms".to_owned(), json!("soon"));
            } else if !dice.is_multiple_of(3) {
                fields.insert("latency_ms".to_owned(), json!((dice % 50_000) as f64 / 16.0));
            }
        }
        ChaosRecord { id, hash: content_hash(&json), json, is_broken }
    }
}

/// Plain words, other alphabets, quotes, line breaks and control characters, all of which must survive.
fn message(dice: u64, id: &str) -> String {
    match dice % 5 {
        0 => format!("request {dice:x} of {id} completed"),
        1 => format!("Zeitüberschreitung bei {id} \u{2014} \u{65e5}\u{672c}\u{8a9e} \u{1f980}"),
        2 => format!("failed: \"{id}\" \\ {{\"nested\": true}}"),
        3 => format!("java.lang.IllegalStateException: {id}\n\tat com.shop.Main.run(Main.java:42)\r\n"),
        _ => format!("control \u{1b}[31m\u{7} {id}"),
    }
}

/// A hash of a record's content, of what was sent as well as of what comes back.
pub fn content_hash(record: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    for name in HASHED {
        match record.get(name) {
            Some(Value::Number(number)) => number.as_f64().map(f64::to_bits).hash(&mut hasher),
            Some(Value::String(text)) => text.hash(&mut hasher),
            Some(Value::Bool(flag)) => flag.hash(&mut hasher),
            // Absent and null are the same to a reader.
            Some(Value::Null) | None => 0u8.hash(&mut hasher),
            Some(other) => other.to_string().hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// A number without visible relation to the one before (SplitMix64's mixer).
pub fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The time now, for timestamps and for names that must be new with each run.
pub fn now() -> Timestamp {
    i64::try_from(time::OffsetDateTime::now_utc().unix_timestamp_nanos()).map_or(Timestamp::MAX, Timestamp)
}
