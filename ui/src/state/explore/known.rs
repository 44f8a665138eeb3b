//! What there is to choose from while a query is typed.

use insighthub_model::query::{Suggestion, Vocabulary, complete};

use super::series::text;
use crate::api::explore::Fields;

/// Fields of the records that are looked at, with their frequent values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    fields: Vec<(String, Vec<String>)>,
}

impl Known {
    pub fn of(fields: &Fields, services: &[String]) -> Known {
        let known = fields.fields.iter().map(|field| {
            // Services that the filter leaves out can be chosen all the same.
            let values = match field.name.as_str() {
                "service" => services.to_vec(),
                _ => field.values.iter().map(|counted| text(&counted.value)).collect(),
            };
            (field.name.clone(), values)
        });
        Known { fields: known.collect() }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }
}

impl Vocabulary for Known {
    fn fields(&self) -> Vec<String> {
        self.names().map(str::to_owned).collect()
    }

    fn values(&self, field: &str) -> Vec<String> {
        self.fields
            .iter()
            .find(|(name, _)| name == field)
            .map(|(_, values)| values.clone())
            .unwrap_or_default()
    }
}

/// What may stand at the cursor; nothing where nothing has been typed of it, for a list over an empty word is in the way.
pub fn suggestions(text: &str, cursor: usize, known: &Known) -> Vec<Suggestion> {
    const SHOWN_MAX: usize = 10;
    let typed = text.get(..cursor).unwrap_or(text);
    if typed.is_empty() || typed.ends_with(char::is_whitespace) && !typed.contains('|') {
        return Vec::new();
    }
    let mut found = complete(text, cursor, known);
    found.truncate(SHOWN_MAX);
    found
}

/// The text with the suggestion put in, and where the cursor stands then.
pub fn accept(text: &str, suggestion: &Suggestion) -> (String, usize) {
    let before = text.get(..suggestion.span.start).unwrap_or_default();
    let behind = text.get(suggestion.span.end..).unwrap_or_default();
    let cursor = before.len() + suggestion.text.len();
    (format!("{before}{}{behind}", suggestion.text), cursor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::explore::{Field, ValueCount};

    fn known() -> Known {
        let field = |name: &str, values: &[&str]| Field {
            name: name.to_owned(),
            values: values
                .iter()
                .map(|value| ValueCount { value: (*value).into(), records: 1, share: 0.5 })
                .collect(),
            ..Field::default()
        };
        let fields = Fields {
            fields: vec![field("service", &["api"]), field("region", &["eu west", "us"])],
            ..Fields::default()
        };
        Known::of(&fields, &["api".to_owned(), "payment".to_owned()])
    }

    fn texts(text: &str) -> Vec<String> {
        suggestions(text, text.len(), &known()).into_iter().map(|found| found.text).collect()
    }

    #[test]
    fn fields_values_and_levels_are_completed() {
        assert_eq!(texts("reg"), ["region:"]);
        assert!(texts("region:").contains(&"us".to_owned()));
        assert_eq!(texts("service:pa"), ["payment"]);
        assert_eq!(texts("level:err"), ["ERROR"]);
        assert!(texts("").is_empty() && texts("timeout ").is_empty());
    }

    #[test]
    fn what_is_chosen_replaces_what_was_typed_of_it() {
        let text = "a reg b";
        let found = suggestions(text, 5, &known());
        let (text, cursor) = accept(text, found.first().unwrap());
        assert_eq!((text.as_str(), cursor), ("a region: b", 9));
        let text = "region:eu";
        let (text, _) = accept(text, suggestions(text, text.len(), &known()).first().unwrap());
        assert_eq!(text, r#"region:"eu west""#);
    }
}
