//! How much an answer rests on, said in one line.

use insighthub_model::api::logs::CoverageAndCost;
use serde::Deserialize;

/// The `coverage` of an answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Coverage {
    pub(crate) partitions: u64,
    pub(crate) partitions_answered: u64,
    pub(crate) complete: bool,
    /// A replica could not confirm that it holds everything acknowledged.
    pub(crate) stale: bool,
    pub(crate) scanned_records: u64,
    pub(crate) elapsed_ms: f64,
}

/// What an answer consists of, in words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noun {
    pub(crate) one: &'static str,
    pub(crate) many: &'static str,
}

impl From<CoverageAndCost> for Coverage {
    fn from(page: CoverageAndCost) -> Coverage {
        let CoverageAndCost { coverage, scanned_records, elapsed_ms, .. } = page;
        Coverage {
            partitions: coverage.partitions as u64,
            partitions_answered: coverage.partitions_answered as u64,
            complete: coverage.complete,
            stale: coverage.stale,
            scanned_records,
            elapsed_ms,
        }
    }
}

impl Coverage {
    /// Adds the next page's coverage to that of the pages before.
    pub(crate) fn add(&mut self, page: &Coverage) {
        // Before the first page there is nothing that could be incomplete.
        self.complete = page.complete && (self.complete || self.partitions == 0);
        self.partitions = page.partitions;
        self.partitions_answered = page.partitions_answered;
        self.stale |= page.stale;
        self.scanned_records += page.scanned_records;
        self.elapsed_ms += page.elapsed_ms;
    }

    pub(crate) fn sentence(&self, shown: u64, more: bool) -> String {
        let more = if more { "; there are more: use --all or a larger --limit" } else { "" };
        self.sentence_of(shown, Noun { one: "record", many: "records" }, more)
    }

    /// The same of what is no record; `more` stands at the end.
    pub(crate) fn sentence_of(&self, shown: u64, what: Noun, more: &str) -> String {
        let noun = if shown == 1 { what.one } else { what.many };
        let complete = completeness(self.complete, self.stale);
        format!(
            "{shown} {noun} in {:.1} ms; {} of {} partitions, {} records scanned, {complete}{more}",
            self.elapsed_ms, self.partitions_answered, self.partitions, self.scanned_records
        )
    }
}

/// What an answer lacks, in words.
pub(crate) fn completeness(complete: bool, stale: bool) -> &'static str {
    match (complete, stale) {
        (true, false) => "complete",
        (false, _) => "INCOMPLETE: some partitions did not answer, records may be missing",
        (true, true) => "STALE: no leader confirmed that these are all, the newest records may be missing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_not_the_whole_truth_says_so() {
        let sentence =
            |complete, stale| Coverage { complete, stale, ..Coverage::default() }.sentence(1, false);
        assert!(sentence(true, false).ends_with(", complete"));
        assert!(sentence(true, true).contains("STALE"));
        assert!(sentence(false, true).contains("INCOMPLETE"));
    }

    #[test]
    fn one_stale_page_makes_the_whole_answer_stale() {
        let mut all = Coverage::default();
        all.add(&Coverage { complete: true, stale: true, ..Coverage::default() });
        all.add(&Coverage { complete: true, ..Coverage::default() });
        assert!(all.stale && all.complete);
    }
}
