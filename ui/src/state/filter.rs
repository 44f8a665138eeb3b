//! Which records the reader wants to see: search text, service, levels, anomalies.

use crate::api::logs::Level;

use super::url::Pairs;

/// Which records are meant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Query text as typed.
    pub text: String,
    /// Empty means every service.
    pub service: String,
    /// Empty means every level; kept in order of severity.
    pub levels: Vec<Level>,
    /// Only what detection found unusual.
    pub is_anomaly: bool,
}

impl Filter {
    /// Whether nothing is filtered out of the live tail.
    pub fn is_open(&self) -> bool {
        self.text.trim().is_empty() && self.service.is_empty() && self.levels.is_empty() && !self.is_anomaly
    }

    /// The filter of an address; unknown levels are none.
    pub fn from_pairs(pairs: &Pairs) -> Filter {
        let levels = pairs.text("level");
        let mut levels: Vec<Level> = levels.split(',').filter_map(|name| name.parse().ok()).collect();
        levels.sort_unstable();
        levels.dedup();
        Filter {
            text: pairs.text("q"),
            service: pairs.text("service"),
            levels,
            is_anomaly: pairs.get("anomaly") == Some("true"),
        }
    }

    /// Adds what `from_pairs` reads.
    pub fn add_to(&self, pairs: &mut Vec<(&'static str, String)>) {
        if !self.text.trim().is_empty() {
            pairs.push(("q", self.text.trim().to_owned()));
        }
        if !self.service.is_empty() {
            pairs.push(("service", self.service.clone()));
        }
        if !self.levels.is_empty() {
            let names: Vec<&str> = self.levels.iter().map(|level| level.name()).collect();
            pairs.push(("level", names.join(",")));
        }
        if self.is_anomaly {
            pairs.push(("anomaly", "true".to_owned()));
        }
    }

    /// Adds the level to the chosen ones, or takes it out.
    pub fn toggle_level(&mut self, level: Level) {
        if self.levels.contains(&level) {
            self.levels.retain(|chosen| *chosen != level);
        } else {
            self.levels.push(level);
            self.levels.sort_unstable();
        }
    }

    /// Adds `field:value` to the text, quoted where the value is more than one plain word.
    pub fn require(&mut self, field: &str, value: &str) {
        let plain = !value.is_empty()
            && value.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'));
        let term = if plain { format!("{field}:{value}") } else { format!("{field}:{}", quoted(value)) };
        if self.text.split_whitespace().any(|word| word == term) {
            return;
        }
        let text = self.text.trim();
        self.text = if text.is_empty() { term } else { format!("{text} {term}") };
    }

    /// The API's parameters. One level goes as `level=`; several become part of the query text,
    /// since the parameter takes only one.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        if !self.service.is_empty() {
            pairs.push(("service", self.service.clone()));
        }
        if self.is_anomaly {
            pairs.push(("is_anomaly", "true".to_owned()));
        }
        let mut text = self.text.trim().to_owned();
        match self.levels.as_slice() {
            [] => {}
            [only] => pairs.push(("level", only.name().to_owned())),
            several => {
                let names: Vec<&str> = several.iter().map(|level| level.name()).collect();
                let levels = format!("level:({})", names.join(" OR "));
                text = if text.is_empty() { levels } else { format!("({text}) {levels}") };
            }
        }
        if !text.is_empty() {
            pairs.push(("q", text));
        }
        pairs
    }
}

fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_levels_become_part_of_the_query() {
        let mut filter = Filter { text: "a OR b".to_owned(), ..Filter::default() };
        filter.toggle_level(Level::Error);
        assert_eq!(filter.parameters().first(), Some(&("level", "ERROR".to_owned())));
        filter.toggle_level(Level::Warn);
        assert_eq!(filter.parameters(), [("q", "(a OR b) level:(WARN OR ERROR)".to_owned())]);
        filter.toggle_level(Level::Error);
        filter.toggle_level(Level::Warn);
        assert_eq!(filter.parameters(), [("q", "a OR b".to_owned())]);
    }

    #[test]
    fn a_required_value_is_quoted_when_it_must_be_and_added_once() {
        let mut filter = Filter::default();
        filter.require("userId", "1932");
        filter.require("userId", "1932");
        filter.require("path", "a \"b\"");
        assert_eq!(filter.text, r#"userId:1932 path:"a \"b\"""#);
    }
}
