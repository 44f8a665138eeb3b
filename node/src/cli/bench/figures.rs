//! The figures of a measurement, from what the connections and the process counted. Pure.

use std::time::Duration;

use super::loader::LoadOutcome;

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(super) sent: u64,
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    pub(super) refusals: u64,
    /// Records more in the node's aggregates than before.
    pub(super) counted: u64,
    pub(crate) raw_bytes: u64,
    pub(super) wire_bytes: u64,
    pub(super) elapsed: Duration,
    /// Sorted.
    pub(super) acknowledge_times: Vec<Duration>,
    /// Processor time of the node while it was loaded, s.
    pub(super) loading_secs: Option<f64>,
    /// The same, until it came to rest: sealing and merging included.
    pub(super) resting_secs: Option<f64>,
    pub(super) peak_memory_mib: Option<f64>,
}

impl Figures {
    pub(super) fn add(&mut self, outcome: LoadOutcome) {
        self.accepted += outcome.accepted;
        self.rejected += outcome.rejected;
        self.refusals += outcome.refusals;
        self.acknowledge_times.extend(outcome.acknowledge_times);
        self.acknowledge_times.sort_unstable();
    }

    /// Rows of name and value for people.
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        let secs = self.elapsed.as_secs_f64().max(1e-9);
        let millions = (self.sent as f64 / 1e6).max(1e-9);
        let per_million = |secs: Option<f64>| secs.map_or("-".to_owned(), |s| format!("{:.2}", s / millions));
        let memory = self.peak_memory_mib.map_or("-".to_owned(), |mib| format!("{mib:.0}"));
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        vec![
            row("records sent", self.sent.to_string()),
            row("accepted, as answered", self.accepted.to_string()),
            row("rejected, as answered", self.rejected.to_string()),
            row("counted in the node", self.counted.to_string()),
            row("refused and repeated (429, 503)", self.refusals.to_string()),
            row("seconds", format!("{secs:.2}")),
            row("records/s", format!("{:.0}", self.accepted as f64 / secs)),
            row("MB/s of records", format!("{:.1}", self.raw_bytes as f64 / 1e6 / secs)),
            row("MB/s on the wire", format!("{:.1}", self.wire_bytes as f64 / 1e6 / secs)),
            row("acknowledge ms p50 / p99 / max", self.acknowledge_row()),
            row("node CPU s per million, while loading", per_million(self.loading_secs)),
            row("node CPU s per million, until at rest", per_million(self.resting_secs)),
            row("node peak memory, MiB", memory),
        ]
    }

    /// The same as one JSON object for programs.
    pub(super) fn json(&self) -> serde_json::Value {
        let secs = self.elapsed.as_secs_f64().max(1e-9);
        let millions = (self.sent as f64 / 1e6).max(1e-9);
        serde_json::json!({
            "sent": self.sent,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "counted": self.counted,
            "refusals": self.refusals,
            "seconds": secs,
            "records_per_sec": self.accepted as f64 / secs,
            "raw_mb_per_sec": self.raw_bytes as f64 / 1e6 / secs,
            "acknowledge_p50_ms": self.acknowledge_ms(0.5),
            "acknowledge_p99_ms": self.acknowledge_ms(0.99),
            "acknowledge_max_ms": self.acknowledge_ms(1.0),
            "cpu_secs_per_million_loading": self.loading_secs.map(|secs| secs / millions),
            "cpu_secs_per_million_at_rest": self.resting_secs.map(|secs| secs / millions),
            "peak_memory_mib": self.peak_memory_mib,
        })
    }

    /// Whether every record is accounted for: accepted or rejected, and what was accepted is there.
    pub(super) fn add_up(&self) -> bool {
        self.accepted + self.rejected == self.sent && self.counted == self.accepted
    }

    fn acknowledge_row(&self) -> String {
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| self.acknowledge_ms(share));
        format!("{p50:.1} / {p99:.1} / {max:.1}")
    }

    fn acknowledge_ms(&self, share: f64) -> f64 {
        let last = self.acknowledge_times.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        self.acknowledge_times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_is_missing_or_doubled_does_not_add_up() {
        let figures = |counted| Figures { sent: 10, accepted: 9, rejected: 1, counted, ..Figures::default() };
        assert!(figures(9).add_up());
        assert!(!figures(8).add_up() && !figures(10).add_up());
    }

    #[test]
    fn quantiles_come_from_sorted_times() {
        let mut figures = Figures::default();
        for times in [[3, 1], [2, 4]] {
            let acknowledge_times = times.map(Duration::from_millis).to_vec();
            figures.add(LoadOutcome { acknowledge_times, ..LoadOutcome::default() });
        }
        assert_eq!(figures.acknowledge_row(), "3.0 / 4.0 / 4.0");
    }
}
