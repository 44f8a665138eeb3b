//! A pattern's id as people and browsers read it: sixteen hex digits, as no browser counts to 2^64. `#[serde(with)]`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<S: Serializer>(id: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.collect_str(&format_args!("{id:016x}"))
    } else {
        id.serialize(serializer)
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    if !deserializer.is_human_readable() {
        return u64::deserialize(deserializer);
    }
    let text = String::deserialize(deserializer)?;
    u64::from_str_radix(&text, 16).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::super::Pattern;
    use crate::Timestamp;

    #[test]
    fn an_id_is_a_text_for_people_and_reads_back() {
        let pattern = Pattern {
            id: u64::MAX - 1,
            text: "disk <*> full".to_owned(),
            first_seen: Timestamp(0),
            last_seen: Timestamp(60_000_000_000),
            is_news: true,
            count: 3,
            minutes: vec![(1, 3)],
        };
        let json = serde_json::to_string(&pattern).unwrap();
        assert!(json.contains(r#""id":"fffffffffffffffe""#), "{json}");
        assert_eq!(serde_json::from_str::<Pattern>(&json).unwrap(), pattern);
        assert!(serde_json::from_str::<Pattern>(&json.replace("fffe", "fffg")).is_err());
    }
}
