//! What one run of chaos is made of, and what it must have done to prove anything.

use std::time::Duration;

use crate::alert_incidents::AlertPlan;
use crate::cluster::{Between, ClusterOptions};
use crate::nemesis::scenario::{Abilities, Scenario};
use crate::summary::Summary;
use crate::workload::WorkloadPlan;

/// What to run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    pub scenario: Scenario,
    pub seed: u64,
    /// How long faults go on; founding, healing and reckoning come on top.
    pub length: Duration,
    pub nodes: usize,
    pub partitions: u16,
    pub workload: WorkloadPlan,
    /// Incidents besides; the run lasts until all are injected.
    pub alerts: Option<AlertPlan>,
    /// Settings of the nodes, besides those that make them small and patient.
    pub environment: Vec<(String, String)>,
    pub gates: Gates,
    pub between: Between,
    /// Leave the nodes' files also where the run passes.
    pub keep_files: bool,
}

/// Without these a passed run would mean nothing.
#[derive(Debug, Clone, Copy)]
pub struct Gates {
    pub acknowledged_min: u64,
    pub fired_min: u64,
    pub reads_min: u64,
    /// Share of attempts in calm times that must work.
    pub calm_ok_rate_min: f64,
}

impl RunOptions {
    /// Gates that fit the length.
    pub fn new(scenario: Scenario, seed: u64, length: Duration) -> RunOptions {
        let secs = length.as_secs();
        let gates = Gates {
            acknowledged_min: 20 * secs,
            fired_min: match scenario {
                // There one node dies, and what follows is measured.
                Scenario::OneDead => 1,
                // Its calms are long.
                Scenario::Alerts => (secs / 45).max(1),
                _ => (secs / 20).max(1),
            },
            reads_min: secs,
            calm_ok_rate_min: 0.9,
        };
        RunOptions {
            scenario,
            seed,
            length,
            nodes: 3,
            partitions: 4,
            workload: match scenario {
                Scenario::OneDead => WorkloadPlan::full_speed(),
                // What is measured there is how soon one is told.
                Scenario::Alerts => WorkloadPlan {
                    writers: 1,
                    anonymous: 0,
                    readers: 1,
                    followers: false,
                    pause: Duration::from_millis(200),
                    ..WorkloadPlan::default()
                },
                // There must be blocks before they can rot.
                Scenario::Rot => WorkloadPlan { batch_records_max: 80, ..WorkloadPlan::default() },
                _ => WorkloadPlan::default(),
            },
            alerts: (scenario == Scenario::Alerts).then(|| AlertPlan::of_length(length)),
            environment: Vec::new(),
            between: match scenario {
                Scenario::Netns => Between::Namespaces,
                _ => Between::Relays,
            },
            gates,
            keep_files: false,
        }
    }

    pub(crate) fn cluster_options(&self, abilities: Abilities) -> ClusterOptions {
        let is = |scenarios: &[Scenario]| scenarios.contains(&self.scenario);
        let mut options = ClusterOptions {
            nodes: self.nodes,
            partitions: self.partitions,
            spares: if is(&[Scenario::Membership]) { 2 } else { 0 },
            own_disks: abilities.disks && is(&[Scenario::PowerCut, Scenario::Disk, Scenario::All]),
            own_clocks: abilities.clocks && is(&[Scenario::Clock, Scenario::All]),
            between: self.between,
            ..ClusterOptions::default()
        };
        if is(&[Scenario::Rot, Scenario::All]) {
            // As often as a node can: what has rotten is to be found within the run.
            options.environment.push(("INSIGHTHUB_STORAGE__SCRUB_EVERY_SECS".to_owned(), "1".to_owned()));
        }
        if is(&[Scenario::LeaderKills]) {
            // What is measured there is how soon a node follows another by its own settings.
            options.environment.retain(|(name, _)| !name.starts_with("INSIGHTHUB_RAFT__"));
        }
        if self.alerts.is_some() {
            options.environment.push(AlertPlan::environment());
        }
        options.environment.extend(self.environment.iter().cloned());
        options
    }
}

impl Gates {
    /// Why a run proves nothing; empty when it does.
    pub(crate) fn trouble(&self, summary: &Summary) -> Vec<String> {
        let mut trouble = Vec::new();
        for (what, got, needed) in [
            ("records acknowledged", summary.acknowledged, self.acknowledged_min),
            ("faults fired", summary.fired(), self.fired_min),
            ("reads", summary.reads, self.reads_min),
        ] {
            if got < needed {
                trouble.push(format!("only {got} {what}, {needed} needed"));
            }
        }
        if summary.calm_ok_rate < self.calm_ok_rate_min {
            let (got, needed) = (summary.calm_ok_rate * 100.0, self.calm_ok_rate_min * 100.0);
            trouble.push(format!("only {got:.1} % of attempts worked in calm times, {needed:.1} needed"));
        }
        trouble
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_faults_or_writes_or_reads_or_calm_proves_nothing() {
        let options = RunOptions::new(Scenario::Kills, 1, Duration::from_secs(60));
        let mut summary =
            Summary { acknowledged: 5_000, reads: 500, calm_ok_rate: 0.99, ..Summary::default() };
        summary.faults.entry("leader killed".to_owned()).or_default().fired = 9;
        assert_eq!(options.gates.trouble(&summary), Vec::<String>::new());
        let broken = [
            Summary { acknowledged: 100, ..summary.clone() },
            Summary { reads: 0, ..summary.clone() },
            Summary { calm_ok_rate: 0.5, ..summary.clone() },
            Summary { faults: Default::default(), ..summary },
        ];
        for summary in broken {
            assert_eq!(options.gates.trouble(&summary).len(), 1, "{summary:?}");
        }
    }
}
