//! What happened around one record: along which field, and how far.

use serde_json::{Map, Value};

use super::group::name;

/// Neighbours that one press adds.
pub const STEP: u32 = 20;
/// More the language does not give.
const NEIGHBOURS_MAX: u32 = 1_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    pub log_id: String,
    /// Neighbours have the same value of it.
    pub by: String,
    pub before: u32,
    pub after: u32,
}

impl Around {
    pub fn of(log_id: &str, by: &str) -> Around {
        Around { log_id: log_id.to_owned(), by: by.to_owned(), before: STEP, after: STEP }
    }

    pub fn further_before(&self) -> Around {
        Around { before: (self.before + STEP).min(NEIGHBOURS_MAX), ..self.clone() }
    }

    pub fn further_after(&self) -> Around {
        Around { after: (self.after + STEP).min(NEIGHBOURS_MAX), ..self.clone() }
    }

    pub fn query(&self) -> String {
        let Around { log_id, by, before, after } = self;
        format!("* | context {log_id} before {before} after {after} by {}", name(by))
    }
}

/// Fields that neighbours may share, the likeliest first: a trace leads across services.
pub fn choices(fields: &Map<String, Value>) -> Vec<String> {
    const FIRST: [&str; 4] = ["trace_id", "request_id", "correlation_id", "session_id"];
    const NEVER: [&str; 8] = [
        "log_id",
        "timestamp",
        "created_at",
        "message",
        "latency_ms",
        "anomaly_score",
        "anomaly_reason",
        "is_anomaly",
    ];
    let fits = |name: &&String| {
        let is_plain = fields
            .get(*name)
            .is_some_and(|value| value.is_string() || value.is_number() || value.is_boolean());
        is_plain && !NEVER.contains(&name.as_str())
    };
    let mut names: Vec<String> = fields.keys().filter(fits).cloned().collect();
    let rank = |name: &String| match name.as_str() {
        "service" => FIRST.len(),
        other => FIRST.iter().position(|first| *first == other).unwrap_or(FIRST.len() + 1),
    };
    names.sort_by_key(rank);
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use insighthub_model::query::parse;

    #[test]
    fn a_trace_comes_first_and_what_no_neighbour_shares_is_not_there() {
        let fields =
            r#"{"log_id":"a","message":"m","service":"s","host":"h","tags":[1],"trace_id":"t","x":null}"#;
        let fields: Map<String, Value> = serde_json::from_str(fields).unwrap();
        assert_eq!(choices(&fields), ["trace_id", "service", "host"]);
    }

    #[test]
    fn the_query_can_be_read_and_grows() {
        let around = Around::of("0003-00000000001a", "a b").further_before().further_after().further_after();
        assert_eq!((around.before, around.after), (40, 60));
        assert!(parse(&around.query()).is_ok(), "{}", around.query());
        let far = (0..200).fold(around, |around, _| around.further_before());
        assert!(parse(&far.query()).is_ok());
    }
}
