//! What the reader wants to see: search text, service, levels, time range.

use crate::api::logs::Level;

/// The filter of the Live page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Query text as typed.
    pub text: String,
    /// Empty means every service.
    pub service: String,
    /// Empty means every level; kept in order of severity.
    pub levels: Vec<Level>,
    /// How far back a search looks. The live tail has no past, so it ignores this.
    pub range: Range,
}

/// How far back a search looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Range {
    Minutes15,
    Hour,
    Hours6,
    Day,
    Week,
    #[default]
    All,
}

impl Range {
    pub const ALL: [Range; 6] =
        [Range::Minutes15, Range::Hour, Range::Hours6, Range::Day, Range::Week, Range::All];

    /// The name in the address bar.
    pub fn name(self) -> &'static str {
        match self {
            Range::Minutes15 => "15m",
            Range::Hour => "1h",
            Range::Hours6 => "6h",
            Range::Day => "1d",
            Range::Week => "7d",
            Range::All => "all",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Range::Minutes15 => "Last 15 minutes",
            Range::Hour => "Last hour",
            Range::Hours6 => "Last 6 hours",
            Range::Day => "Last 24 hours",
            Range::Week => "Last 7 days",
            Range::All => "All time",
        }
    }

    pub fn from_name(name: &str) -> Option<Range> {
        Range::ALL.into_iter().find(|range| range.name() == name)
    }

    /// How far back in milliseconds; `None` is without limit.
    pub fn length_ms(self) -> Option<f64> {
        const MINUTE_MS: f64 = 60_000.0;
        match self {
            Range::Minutes15 => Some(15.0 * MINUTE_MS),
            Range::Hour => Some(60.0 * MINUTE_MS),
            Range::Hours6 => Some(360.0 * MINUTE_MS),
            Range::Day => Some(1_440.0 * MINUTE_MS),
            Range::Week => Some(10_080.0 * MINUTE_MS),
            Range::All => None,
        }
    }
}

impl Filter {
    /// Whether nothing is filtered out of the live tail.
    pub fn is_open(&self) -> bool {
        self.text.trim().is_empty() && self.service.is_empty() && self.levels.is_empty()
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

    #[test]
    fn every_range_reads_back_from_its_name() {
        for range in Range::ALL {
            assert_eq!(Range::from_name(range.name()), Some(range));
        }
    }
}
