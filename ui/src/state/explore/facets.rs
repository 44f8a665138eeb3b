//! Which fields are listed at the side, and in which order.

use crate::api::explore::{Field, ValueCount};

use super::series::text;

/// What nobody filters by a list of values: ids and scores are different in each record.
const NEVER: [&str; 4] = ["log_id", "message", "timestamp", "anomaly_score"];

/// Fields whose name holds what was typed, with all their values; and those with values that hold it, with these alone.
pub fn listed(fields: &[Field], typed: &str, by_name: bool) -> Vec<Field> {
    let typed = typed.trim().to_lowercase();
    let holds = |word: &str| word.to_lowercase().contains(&typed);
    let kept = fields.iter().filter(|field| !NEVER.contains(&field.name.as_str())).filter_map(|field| {
        if typed.is_empty() || holds(&field.name) {
            return Some(field.clone());
        }
        let fits = |counted: &&ValueCount| holds(&text(&counted.value));
        let values: Vec<ValueCount> = field.values.iter().filter(fits).cloned().collect();
        (!values.is_empty()).then(|| Field { values, ..field.clone() })
    });
    let mut kept: Vec<Field> = kept.collect();
    if by_name {
        kept.sort_by(|a, b| a.name.cmp(&b.name));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, values: &[&str]) -> Field {
        let count = |value: &&str| ValueCount { value: (*value).into(), records: 1, share: 0.1 };
        Field { name: name.to_owned(), values: values.iter().map(count).collect(), ..Field::default() }
    }

    #[test]
    fn fields_are_found_by_name_and_by_value() {
        let fields =
            [field("service", &["api", "auth"]), field("region", &["apac", "eu"]), field("log_id", &["a"])];
        assert_eq!(listed(&fields, "", false).len(), 2);
        let found = listed(&fields, "AP", false);
        assert_eq!(found.iter().map(|field| field.values.len()).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(listed(&fields, "reg", false).first().unwrap().values.len(), 2);
        assert_eq!(listed(&fields, "", true).first().unwrap().name, "region");
    }
}
