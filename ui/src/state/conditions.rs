//! The conditions of a query text, one by one: adding, leaving out, taking away. Built on the server's own parser, so that what
//! is added means what it says.

use insighthub_model::query::{self, Expression, FieldTest, Test, Text};

/// What a text says of one value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    None,
    Included,
    Excluded,
}

/// Conditions that must all be met, as people read them; none of an empty text.
pub fn conditions(text: &str) -> Vec<String> {
    parts(text).unwrap_or_default().iter().map(Expression::to_string).collect()
}

/// The text without the condition at this place of [`conditions`].
pub fn without(text: &str, place: usize) -> String {
    let Some(mut parts) = parts(text) else { return text.to_owned() };
    if place < parts.len() {
        parts.remove(place);
    }
    joined(parts)
}

/// The field has this value, or one of those that were wanted before.
pub fn include(text: &str, field: &str, value: &str) -> String {
    let wanted = Expression::field_is(field, value);
    let Some(mut parts) = parts(text) else { return text.to_owned() };
    let before = parts.len();
    parts.retain(|part| *part != wanted.clone().negated());
    if values_of(&parts, field).any(|known| known == value) {
        return if parts.len() == before { text.to_owned() } else { joined(parts) };
    }
    if let Some(part) = parts.iter_mut().find(|part| values(part, field).is_some()) {
        let mut several: Vec<String> = values(part, field).unwrap_or_default();
        several.push(value.to_owned());
        *part = Expression::field_in(field, several);
        return joined(parts);
    }
    if parts.len() != before {
        parts.push(wanted);
        return joined(parts);
    }
    and(text, &wanted)
}

/// The field does not have this value.
pub fn exclude(text: &str, field: &str, value: &str) -> String {
    let unwanted = Expression::field_is(field, value).negated();
    let Some(parts) = parts(text) else { return text.to_owned() };
    if parts.contains(&unwanted) {
        return text.to_owned();
    }
    if values_of(&parts, field).any(|known| known == value) {
        return and(&forget(text, field, value), &unwanted);
    }
    and(text, &unwanted)
}

/// Nothing is said of this value any more.
pub fn forget(text: &str, field: &str, value: &str) -> String {
    let Some(parts) = parts(text) else { return text.to_owned() };
    let unwanted = Expression::field_is(field, value).negated();
    let rest = parts.into_iter().filter(|part| *part != unwanted).filter_map(|part| {
        let Some(mut several) = values(&part, field) else { return Some(part) };
        several.retain(|known| known != value);
        (!several.is_empty()).then(|| Expression::field_in(field, several))
    });
    joined(rest.collect())
}

pub fn mark(text: &str, field: &str, value: &str) -> Mark {
    let parts = parts(text).unwrap_or_default();
    if values_of(&parts, field).any(|known| known == value) {
        Mark::Included
    } else if parts.contains(&Expression::field_is(field, value).negated()) {
        Mark::Excluded
    } else {
        Mark::None
    }
}

/// The text, and this condition besides.
pub fn and(text: &str, condition: &Expression) -> String {
    let text = text.trim();
    let grouped = match condition {
        Expression::Or(_) => format!("({condition})"),
        other => other.to_string(),
    };
    match query::parse_filter(text) {
        Ok(Expression::All) => condition.to_string(),
        Ok(Expression::Or(_)) => format!("({text}) {grouped}"),
        _ => format!("{text} {grouped}"),
    }
}

/// Words that stand in the message, one after the other or not.
pub fn phrases(phrases: Vec<String>) -> Expression {
    Expression::all_of(phrases.into_iter().map(|phrase| Expression::Message(Text::Exact(phrase))))
}

/// `None`: the text cannot be read.
fn parts(text: &str) -> Option<Vec<Expression>> {
    match query::parse_filter(text).ok()? {
        Expression::All => Some(Vec::new()),
        Expression::And(parts) => Some(parts),
        other => Some(vec![other]),
    }
}

fn joined(parts: Vec<Expression>) -> String {
    match Expression::all_of(parts) {
        Expression::All => String::new(),
        other => other.to_string(),
    }
}

/// The values that a condition wants of the field; `None` if it is another kind of condition.
fn values(part: &Expression, field: &str) -> Option<Vec<String>> {
    match part {
        Expression::Field(FieldTest { name, test }) if name == field => match test {
            Test::Is(Text::Exact(value)) => Some(vec![value.clone()]),
            Test::In(several) => Some(several.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn values_of<'a>(parts: &'a [Expression], field: &'a str) -> impl Iterator<Item = String> + 'a {
    parts.iter().filter_map(move |part| values(part, field)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_included_once_and_a_second_beside_it() {
        let text = include("timeout", "region", "eu");
        assert_eq!(text, "timeout region:eu");
        assert_eq!(include(&text, "region", "eu"), text);
        let both = include(&text, "region", "us east");
        assert_eq!(mark(&both, "region", "us east"), Mark::Included);
        assert_eq!(mark(&both, "region", "eu"), Mark::Included);
        assert_eq!(forget(&both, "region", "us east"), text);
        assert_eq!(forget(&text, "region", "eu"), "timeout");
    }

    #[test]
    fn what_is_excluded_is_no_longer_included_and_the_other_way_round() {
        let text = exclude("region:eu", "region", "eu");
        assert_eq!(mark(&text, "region", "eu"), Mark::Excluded);
        assert_eq!(exclude(&text, "region", "eu"), text);
        assert_eq!(include(&text, "region", "eu"), "region:eu");
    }

    #[test]
    fn a_choice_of_conditions_is_kept_together() {
        assert_eq!(include("a OR b", "x", "1"), "(a OR b) x:1");
        assert_eq!(conditions("a OR b").len(), 1);
    }

    #[test]
    fn conditions_are_taken_away_one_by_one() {
        let text = r#"timeout -health "read timeout" latency_ms:>5"#;
        assert_eq!(conditions(text).len(), 4);
        assert_eq!(without(text, 1), r#"timeout "read timeout" latency_ms:>5"#);
        assert_eq!(without("timeout", 0), "");
        assert_eq!(conditions(""), Vec::<String>::new());
    }

    #[test]
    fn odd_values_stay_what_they_are() {
        for value in ["-5", "a \"b\"", "OR", "/api/", "a*b", "", "in(x)", "größe:1", "(", ">3"] {
            for text in [include("", "f g", value), exclude("x", "f", value)] {
                assert!(query::parse_filter(&text).is_ok(), "{value:?}: {text}");
            }
            assert_eq!(mark(&include("", "f g", value), "f g", value), Mark::Included, "{value:?}");
            assert_eq!(mark(&exclude("x", "f", value), "f", value), Mark::Excluded, "{value:?}");
        }
    }

    #[test]
    fn words_of_a_message_are_added_as_phrases() {
        let condition = phrases(vec!["order".into(), "was paid".into()]);
        assert_eq!(and("level:error", &condition), r#"level:error order "was paid""#);
        assert_eq!(and("", &condition.clone().negated()), r#"NOT (order "was paid")"#);
    }
}
