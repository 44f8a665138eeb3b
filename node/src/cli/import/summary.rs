//! What became of what was read, in numbers and first examples.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// Examples that are shown of each kind: a person mends the first and sees the next.
const EXAMPLES_MAX: usize = 10;

/// See the module's documentation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Summary {
    /// Records found in files.
    pub(super) read: u64,
    pub(super) stored: u64,
    pub(super) rejected: u64,
    /// Records of plain text that do not fit the pattern; stored as messages.
    pub(super) unfitting: u64,
    pub(super) rejections: Vec<Example>,
    pub(super) unfitting_examples: Vec<Example>,
    /// Files that could not be read to their end.
    pub(super) unreadable: Vec<Example>,
}

/// One of many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Example {
    pub(super) file: String,
    pub(super) line: u64,
    pub(super) reason: String,
}

impl Example {
    pub(super) fn new(file: &Path, line: u64, reason: impl Into<String>) -> Example {
        Example { file: file.display().to_string(), line, reason: reason.into() }
    }

    fn sentence(&self) -> String {
        format!("  {}:{}: {}", self.file, self.line, self.reason)
    }
}

impl Summary {
    /// Adds what became of a part.
    pub(super) fn add(&mut self, part: Summary) {
        self.read += part.read;
        self.stored += part.stored;
        self.rejected += part.rejected;
        self.unfitting += part.unfitting;
        let examples = [
            (&mut self.rejections, part.rejections),
            (&mut self.unfitting_examples, part.unfitting_examples),
            (&mut self.unreadable, part.unreadable),
        ];
        for (all, others) in examples {
            let room = EXAMPLES_MAX.saturating_sub(all.len());
            all.extend(others.into_iter().take(room));
        }
    }

    /// Lines for people.
    pub(super) fn sentences(&self) -> Vec<String> {
        let Summary { read, stored, rejected, unfitting, .. } = self;
        let mut lines = vec![format!("{read} records read, {stored} stored, {rejected} rejected")];
        if !self.rejections.is_empty() {
            lines.push("rejected, and kept as dead letters where a node did so; the first:".to_owned());
            lines.extend(self.rejections.iter().map(Example::sentence));
        }
        if *unfitting > 0 {
            lines
                .push(format!("{unfitting} do not fit the pattern and are messages as they are; the first:"));
            lines.extend(self.unfitting_examples.iter().map(Example::sentence));
        }
        if !self.unreadable.is_empty() {
            lines.push("not read to the end:".to_owned());
            lines.extend(self.unreadable.iter().map(Example::sentence));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_the_first_and_counts_are_of_all() {
        let mut summary = Summary::default();
        for line in 0..30 {
            let rejections = vec![Example::new(Path::new("a.log"), line, "no")];
            summary.add(Summary { read: 2, stored: 1, rejected: 1, rejections, ..Summary::default() });
        }
        assert_eq!((summary.read, summary.rejected, summary.rejections.len()), (60, 30, EXAMPLES_MAX));
        let lines = summary.sentences();
        assert_eq!(lines.first().map(String::as_str), Some("60 records read, 30 stored, 30 rejected"));
        assert_eq!(lines.get(2).map(String::as_str), Some("  a.log:0: no"));
    }
}
