//! Which records the reader wants to see: search text, service, levels, anomalies.

use insighthub_model::query::Expression;

use crate::api::logs::Level;

use super::conditions::{self, Mark};
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

    /// Only records whose field has this value, or one of those that were wanted before.
    pub fn include(&mut self, field: &str, value: &str) {
        match (field, value.parse::<Level>()) {
            ("service", _) if self.service.is_empty() && self.mark(field, value) == Mark::None => {
                self.service = value.to_owned();
            }
            ("service", _) if !self.service.is_empty() && self.service != value => {
                let first = std::mem::take(&mut self.service);
                let text = conditions::include(&self.text, field, &first);
                self.text = conditions::include(&text, field, value);
            }
            ("service", _) if self.service == value => {}
            ("level", Ok(level)) => {
                if !self.levels.contains(&level) {
                    self.toggle_level(level);
                }
                self.text = conditions::forget(&self.text, field, value);
            }
            ("is_anomaly", _) if value == "true" => self.is_anomaly = true,
            _ => self.text = conditions::include(&self.text, field, value),
        }
    }

    /// No record whose field has this value.
    pub fn exclude(&mut self, field: &str, value: &str) {
        if self.mark(field, value) == Mark::Included {
            self.forget(field, value);
        }
        self.text = conditions::exclude(&self.text, field, value);
    }

    /// Says nothing of this value any more.
    pub fn forget(&mut self, field: &str, value: &str) {
        match (field, value.parse::<Level>()) {
            ("service", _) if self.service == value => self.service.clear(),
            ("level", Ok(level)) if self.levels.contains(&level) => self.toggle_level(level),
            ("is_anomaly", _) if value == "true" && self.is_anomaly => self.is_anomaly = false,
            _ => self.text = conditions::forget(&self.text, field, value),
        }
    }

    pub fn mark(&self, field: &str, value: &str) -> Mark {
        let is_chosen = match (field, value.parse::<Level>()) {
            ("service", _) => self.service == value,
            ("level", Ok(level)) => self.levels.contains(&level),
            ("is_anomaly", _) => self.is_anomaly && value == "true",
            _ => false,
        };
        if is_chosen { Mark::Included } else { conditions::mark(&self.text, field, value) }
    }

    /// Everything that is asked, in words of the query language.
    pub fn query(&self) -> String {
        let mut text = self.text.trim().to_owned();
        let mut add = |condition: &Expression| text = conditions::and(&text, condition);
        if !self.service.is_empty() {
            add(&Expression::field_is("service", &self.service));
        }
        if !self.levels.is_empty() {
            let names = self.levels.iter().map(|level| level.name().to_owned());
            add(&Expression::field_in("level", names.collect()));
        }
        if self.is_anomaly {
            add(&Expression::field_is("is_anomaly", "true"));
        }
        if text.is_empty() { "*".to_owned() } else { text }
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
    fn a_value_is_quoted_when_it_must_be_and_added_once() {
        let mut filter = Filter::default();
        filter.include("userId", "1932");
        filter.include("userId", "1932");
        filter.include("path", "a \"b\"");
        assert_eq!(filter.text, r#"userId:1932 path:"a \"b\"""#);
    }

    #[test]
    fn services_and_levels_are_included_where_they_are_chosen() {
        let mut filter = Filter::default();
        filter.include("service", "payment");
        filter.include("level", "ERROR");
        filter.include("is_anomaly", "true");
        assert_eq!((filter.service.as_str(), filter.text.as_str()), ("payment", ""));
        assert_eq!(filter.query(), "service:payment level:ERROR is_anomaly:true");
        filter.include("service", "auth");
        assert_eq!(filter.mark("service", "auth"), Mark::Included);
        assert_eq!(filter.mark("service", "payment"), Mark::Included);
        assert_eq!(filter.service, "");
        filter.exclude("level", "ERROR");
        assert_eq!((filter.mark("level", "ERROR"), filter.levels.len()), (Mark::Excluded, 0));
        filter.include("level", "ERROR");
        assert_eq!(filter.mark("level", "ERROR"), Mark::Included);
        filter.forget("level", "ERROR");
        assert_eq!(filter.mark("level", "ERROR"), Mark::None);
    }

    #[test]
    fn the_whole_question_is_one_text() {
        let mut filter = Filter { text: "a OR b".to_owned(), ..Filter::default() };
        assert_eq!(Filter::default().query(), "*");
        filter.toggle_level(Level::Error);
        filter.toggle_level(Level::Warn);
        let text = filter.query();
        assert!(text.starts_with("(a OR b) "), "{text}");
        assert!(insighthub_model::query::parse_filter(&text).is_ok(), "{text}");
    }
}
