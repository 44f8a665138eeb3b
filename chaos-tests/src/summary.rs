//! What a run of chaos came to: for the screen, and as JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::alert_incidents::reckoning::Tally;
use crate::nemesis::Strike;
use crate::workload::gaps::Quantiles;

/// Everything one run found out.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    pub scenario: String,
    pub seed: u64,
    pub nodes: usize,
    pub partitions: u16,
    pub seconds: f64,
    pub acknowledged: u64,
    pub rejected: u64,
    /// Batches sent again.
    pub retries: u64,
    /// Batches that the cluster recognised as sent before.
    pub duplicates: u64,
    /// Records by node.
    pub read_back: Vec<(String, usize)>,
    pub lost: usize,
    pub doubled: usize,
    pub faults: BTreeMap<String, Count>,
    /// Between two acknowledgements of a steady writer, over the whole run.
    pub gaps: Quantiles,
    /// The longest of them: partition, and seconds from the start of the run to its end.
    pub longest_gap: Option<(u16, f64)>,
    /// The longest such gap of each partition around each fault.
    pub gaps_by_fault: Quantiles,
    /// From the end of the faults to one leader for each partition.
    pub leaders_after: Quantiles,
    /// From the end of writing to equal replicas.
    pub equal_after_ms: Option<u64>,
    pub elections: u64,
    pub reads: u64,
    pub reads_incomplete: u64,
    pub reads_unanswered: u64,
    pub tail_resumes: u64,
    pub tail_skipped: u64,
    pub calm_ok_rate: f64,
    pub throughput: Option<Throughput>,
    /// Where incidents were injected.
    pub alerts: Option<Tally>,
    /// Lines of level ERROR that nodes printed: expected under faults, worth a look.
    pub error_lines: usize,
    pub strikes: Vec<Strike>,
    /// What must not be.
    pub findings: Vec<String>,
    /// Why the run proves nothing, if it does not.
    pub void: Vec<String>,
}

/// Faults of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    pub tried: u64,
    /// Those that are known to have happened.
    pub fired: u64,
}

/// Records a second, with all nodes and with one dead.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Throughput {
    pub healthy_per_sec: f64,
    pub one_dead_per_sec: f64,
}

impl Summary {
    pub fn passed(&self) -> bool {
        self.findings.is_empty() && self.void.is_empty()
    }

    pub fn count(&mut self, strike: &Strike) {
        let count = self.faults.entry(strike.kind.to_owned()).or_default();
        count.tried += 1;
        count.fired += u64::from(strike.fired);
    }

    pub fn fired(&self) -> u64 {
        self.faults.values().map(|count| count.fired).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { scenario, seed, nodes, partitions, seconds, .. } = self;
        writeln!(f, "{scenario}, seed {seed}: {nodes} nodes, {partitions} partitions, {seconds:.0} s")?;
        let back: Vec<String> =
            self.read_back.iter().map(|(node, count)| format!("{count} on {node}")).collect();
        writeln!(
            f,
            "  records     {} acknowledged, {} rejected; read back {}",
            self.acknowledged,
            self.rejected,
            back.join(", ")
        )?;
        writeln!(
            f,
            "              {} lost, {} doubled; {} retries, {} recognised",
            self.lost, self.doubled, self.retries, self.duplicates
        )?;
        let faults: Vec<String> = self
            .faults
            .iter()
            .map(|(kind, count)| format!("{kind} {}/{}", count.fired, count.tried))
            .collect();
        writeln!(f, "  faults      {} fired: {}", self.fired(), faults.join(", "))?;
        writeln!(f, "  write gap   {}; around faults {}", self.gaps, self.gaps_by_fault)?;
        if let Some((partition, at_secs)) = self.longest_gap {
            writeln!(f, "              the longest ended at {at_secs:.1} s, partition {partition}")?;
        }
        writeln!(f, "  leaders     {} after faults; {} elections", self.leaders_after, self.elections)?;
        let equal = self.equal_after_ms.map_or("never".to_owned(), |millis| format!("after {millis} ms"));
        writeln!(f, "  replicas    equal {equal}")?;
        writeln!(
            f,
            "  reads       {}, of which {} say incomplete, {} unanswered; {:.1} % ok in calm times",
            self.reads,
            self.reads_incomplete,
            self.reads_unanswered,
            self.calm_ok_rate * 100.0
        )?;
        writeln!(
            f,
            "  live tails  {} resumed, {} records skipped and counted",
            self.tail_resumes, self.tail_skipped
        )?;
        if let Some(Throughput { healthy_per_sec, one_dead_per_sec }) = self.throughput {
            writeln!(
                f,
                "  throughput  {healthy_per_sec:.0}/s healthy, {one_dead_per_sec:.0}/s with one node dead"
            )?;
        }
        if let Some(alerts) = &self.alerts {
            writeln!(f, "  alerts      {alerts}")?;
        }
        if self.error_lines > 0 {
            writeln!(f, "  nodes       printed {} lines of level ERROR", self.error_lines)?;
        }
        for strike in self.strikes.iter().filter(|strike| !strike.fired) {
            writeln!(
                f,
                "  not fired   {} on {:?} at {:.1} s: {}",
                strike.kind, strike.on, strike.at_secs, strike.detail
            )?;
        }
        for reason in &self.void {
            writeln!(f, "  VOID        {reason}")?;
        }
        for finding in &self.findings {
            writeln!(f, "  FAILED      {finding}")?;
        }
        write!(f, "  {}", if self.passed() { "passed" } else { "NOT PASSED" })
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {} p99 {} max {} ms", self.p50_ms, self.p99_ms, self.max_ms)
    }
}
