//! Reads JSON into types. Must not know what the types are for.
//!
//! One reader, made so that little code comes of each type: an object is only read from an object, never from a list, and
//! everything that does not depend on the type is compiled once. `serde_json` reads the same, and makes twice as much of it.

mod deserializer;
mod error;
mod reader;

use serde::de::DeserializeOwned;

pub use error::JsonError;
use reader::Reader;

/// The one value in the text.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, JsonError> {
    let mut reader = Reader::new(text);
    let read = T::deserialize(&mut reader);
    // Outside: compiled once.
    let end = reader.end(read.is_ok());
    match (read, end) {
        (Ok(value), Ok(())) => Ok(value),
        (Err(error), _) => Err(error.at(&reader)),
        (_, Err(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::value::RawValue;
    use serde_json::{Map, Value};

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Shape {
        Point,
        Circle(f64),
        Box { width: u32, height: Option<i8> },
        Line(i64, i64),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Drawing {
        shapes: Vec<Shape>,
        #[serde(default)]
        title: Option<String>,
        #[serde(default)]
        by_name: BTreeMap<String, bool>,
        #[serde(flatten)]
        rest: BTreeMap<String, Value>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        A { x: u8 },
        B,
    }

    /// Holds this reader against the other one.
    fn same<T: DeserializeOwned + PartialEq + std::fmt::Debug>(text: &str) -> T {
        let read: T = from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(read, serde_json::from_str::<T>(text).unwrap(), "{text}");
        read
    }

    fn problem<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
        assert!(serde_json::from_str::<T>(text).is_err(), "{text}");
        from_str::<T>(text).unwrap_err().to_string()
    }

    #[test]
    fn types_of_every_kind_are_read() {
        let drawing: Drawing = same(
            r#" { "shapes" : ["point", {"circle": 2}, {"box":{"height":null,"width":4,"depth":{"not":["read"]}}},
                {"line":[-3,4]}, {"point":null}], "by_name":{"a":true}, "title":"x\ny", "more":[1,{"deep":-0.5e3}] } "#,
        );
        assert_eq!(drawing.shapes.len(), 5);
        assert_eq!(same::<Vec<Tagged>>(r#"[{"kind":"B"},{"x":3,"kind":"A"}]"#).len(), 2);
        assert!(same::<Vec<()>>("[]").is_empty() && same::<Map<String, Value>>("{}").is_empty());
    }

    #[test]
    fn every_value_is_as_it_was() {
        for text in [
            r#"{"z":1,"a":[null,true,false,"",0,-1,1.5,-0,1e2,18446744073709551615,-9223372036854775808,1e999999999]}"#,
            r#"["\u0041\ud83d\ude00\"\\\/\b\f\n\r\tä", "😀", "\u00e4"]"#,
            "123456789012345678901234567890",
            "\"\"",
        ] {
            match serde_json::from_str::<Value>(text) {
                Ok(_) => drop(same::<Value>(text)),
                Err(_) => drop(problem::<Value>(text)),
            }
        }
    }

    #[test]
    fn the_text_of_a_value_can_be_kept() {
        let kept: Vec<Box<RawValue>> = from_str(r#"[ {"a" : [1, "]"]} ,2]"#).unwrap();
        assert_eq!(kept.iter().map(|raw| raw.get()).collect::<Vec<_>>(), [r#"{"a" : [1, "]"]}"#, "2"]);
    }

    #[test]
    fn what_is_no_json_is_refused_where_it_ends() {
        assert_eq!(problem::<Value>("{\"a\":1\n \"b\":2}"), "expected `,` or `}` at line 2 column 2");
        assert_eq!(problem::<Value>("[1,]"), "expected a value at line 1 column 4");
        assert_eq!(
            problem::<Value>("{\"a\":1,}"),
            "expected the name of a field in quotes at line 1 column 8"
        );
        assert_eq!(problem::<Value>("[1] 2"), "expected the end at line 1 column 5");
        for text in [
            "",
            "[",
            "[1",
            "{",
            "{\"a\"",
            "{\"a\":",
            "\"",
            "\"\\",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\n\"",
            "\"\\u12\"",
            "tru",
            "nul",
            "01",
            "1.",
            "1e",
            "-",
            "+1",
            ".5",
            "\"\n\"",
            "[1 2]",
            "{1:2}",
            "\u{feff}1",
            "'a'",
        ] {
            problem::<Value>(text);
        }
        problem::<Value>(&"[".repeat(100_000));
    }

    #[test]
    fn what_is_not_of_the_type_is_refused() {
        for text in ["1", "\"x\"", "[1,2]", "{\"shapes\":3}", "{\"shapes\":[\"square\"]}", "{}", "null"] {
            problem::<Drawing>(text);
        }
        assert!(problem::<Drawing>("{\"shapes\":\n[\"square\"]}").contains("square"));
        assert!(problem::<Drawing>("{}").contains("shapes"));
        problem::<u8>("256");
        problem::<bool>("1");
        problem::<(u8, u8)>("[1]");
        problem::<(u8, u8)>("[1,2,3]");
        problem::<Shape>("{\"circle\":1,\"point\":null}");
        problem::<Shape>("\"circle\"");
    }
}
