//! One line on its way through a pipeline. Knows records only as what [`super::labels`] makes of them.

mod captures;
mod condition;
mod distinct;
mod found;
mod json;
mod logfmt;
mod pipeline;
mod template;
mod template_function;

use std::collections::BTreeSet;

use insighthub_model::Record;

pub(super) use self::captures::{Captures, pattern_filter};
pub(super) use self::condition::whole;
pub use self::found::{Found, found_in};
pub use self::pipeline::Pipeline;
pub(super) use self::template::Template;
use super::labels::{self, ERROR, Labels};

/// A line with its labels, by where they come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    pub stream: Labels,
    pub metadata: Labels,
    /// Made by the pipeline.
    pub parsed: Labels,
}

impl Line {
    pub fn of(record: &Record) -> Line {
        let (stream, metadata) = labels::of_record(record);
        Line { text: record.message.clone(), stream, metadata, parsed: Labels::new() }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        // Asked by its short name, the service is still the service.
        let name = if name == "service" && !self.parsed.contains_key(name) { labels::SERVICE } else { name };
        let found =
            self.parsed.get(name).or_else(|| self.metadata.get(name)).or_else(|| self.stream.get(name));
        found.map(String::as_str)
    }

    /// All labels, whatever they come from.
    pub fn all(&self) -> Labels {
        let mut all = self.stream.clone();
        all.extend(
            self.metadata.iter().chain(&self.parsed).map(|(name, value)| (name.clone(), value.clone())),
        );
        all
    }

    /// Takes in what a parser found: what the record has stays, and the other is told apart.
    fn extract(&mut self, name: &str, value: String) {
        let name = labels::label_of(name);
        let is_taken = self.stream.contains_key(&name) || self.metadata.contains_key(&name);
        self.parsed.insert(if is_taken { format!("{name}_extracted") } else { name }, value);
    }

    fn set(&mut self, name: &str, value: String) {
        self.remove(name);
        self.parsed.insert(name.to_owned(), value);
    }

    fn remove(&mut self, name: &str) {
        for labels in [&mut self.stream, &mut self.metadata, &mut self.parsed] {
            labels.remove(name);
        }
    }

    fn fail(&mut self, error: &str, details: String) {
        self.parsed.insert(ERROR.to_owned(), error.to_owned());
        self.parsed.insert("__error_details__".to_owned(), details);
    }

    fn names(&self) -> BTreeSet<String> {
        self.stream.keys().chain(self.metadata.keys()).chain(self.parsed.keys()).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
