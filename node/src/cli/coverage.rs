//! How much an answer rests on, said in one line.

use serde::Deserialize;

/// The `coverage` of an answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Coverage {
    pub(crate) partitions: u64,
    pub(crate) partitions_answered: u64,
    pub(crate) complete: bool,
    pub(crate) scanned_records: u64,
    pub(crate) elapsed_ms: f64,
}

impl Coverage {
    /// Adds the next page's coverage to that of the pages before.
    pub(crate) fn add(&mut self, page: &Coverage) {
        self.partitions = page.partitions;
        self.partitions_answered = page.partitions_answered;
        self.complete = page.complete;
        self.scanned_records += page.scanned_records;
        self.elapsed_ms += page.elapsed_ms;
    }

    pub(crate) fn sentence(&self, shown: u64, more: bool) -> String {
        let records = if shown == 1 { "record" } else { "records" };
        let more = if more { "; there are more: use --all or a larger --limit" } else { "" };
        let complete = if self.complete { "complete" } else { "INCOMPLETE: some partitions did not answer" };
        format!(
            "{shown} {records} in {:.1} ms; {} of {} partitions, {} records scanned, {complete}{more}",
            self.elapsed_ms, self.partitions_answered, self.partitions, self.scanned_records
        )
    }
}
