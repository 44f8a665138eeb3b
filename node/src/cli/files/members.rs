//! The members of a JSON object, each value as it is written: numbers keep their digits, objects their order.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object)
    }
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
            members.push((name, value.get()));
        }
        Ok(Members(members))
    }
}

/// Borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_as_they_are_written() {
        let text = r#"{"b": 1.10, "a": {"x": [1, 2]}, "n\n": 123456789012345678901, "b": null}"#;
        let Members(members) = serde_json::from_str(text).unwrap();
        let members: Vec<(&str, &str)> =
            members.iter().map(|(name, value)| (name.as_ref(), *value)).collect();
        let expected =
            [("b", "1.10"), ("a", "{\"x\": [1, 2]}"), ("n\n", "123456789012345678901"), ("b", "null")];
        assert_eq!(members, expected);
        assert!(serde_json::from_str::<Members<'_>>("[1]").is_err());
    }
}
