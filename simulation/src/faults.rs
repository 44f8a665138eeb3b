//! What goes wrong, chosen by the seed: each run draws some kinds of faults and strikes them at random times.

use std::collections::BTreeMap;
use std::time::Duration;

use insighthub_storage::fs::Fault as DiskFault;

use crate::cluster::SimulatedCluster;
use crate::dice::Dice;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The machine loses power: what no sync covered survives in part.
    PowerCut,
    /// All machines at once.
    PowerCutOfAll,
    /// The process is killed.
    Kill,
    /// The disk stops in the middle of what is being written, then the power goes.
    TornWrite,
    /// A sync fails and what it should have stored is lost.
    SyncFails,
    DiskFull,
    /// The nodes are cut in two groups.
    Partition,
    /// Messages pass one way only.
    OneWay,
    /// Messages are held back, and come all at once later.
    Hold,
    /// Messages to and from one node take long.
    SlowLinks,
    /// A link between two nodes is cut and mended again and again.
    Flapping,
}

impl Kind {
    pub const ALL: [Kind; 11] = [
        Kind::PowerCut,
        Kind::PowerCutOfAll,
        Kind::Kill,
        Kind::TornWrite,
        Kind::SyncFails,
        Kind::DiskFull,
        Kind::Partition,
        Kind::OneWay,
        Kind::Hold,
        Kind::SlowLinks,
        Kind::Flapping,
    ];
}

/// Messages take up to this long when nothing is wrong.
pub(crate) const LATENCY_MAX: Duration = Duration::from_millis(3);

/// Ends a fault.
#[derive(Clone, Debug)]
enum Mend {
    Links(Vec<(String, String)>),
    Speed(Vec<(String, String)>),
    Space(usize),
    Flap { pair: (String, String), left: u64 },
}

/// When what strikes.
pub(crate) struct Faults {
    dice: Dice,
    kinds: Vec<Kind>,
    next: Duration,
    pub(crate) end: Duration,
    mends: Vec<(Duration, Mend)>,
    pub(crate) struck: BTreeMap<Kind, u64>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Faults {
        let mut dice = Dice::for_part(seed, 40);
        let count = dice.within(1..5);
        let kinds = (0..count).filter_map(|_| dice.pick(&Kind::ALL)).collect();
        let end = Duration::from_millis(dice.within(6_000..11_000));
        let next = Duration::from_millis(dice.within(1_000..3_000));
        Faults { dice, kinds, next, end, mends: Vec::new(), struck: BTreeMap::new() }
    }

    /// Strikes and mends what is due; false once the time of faults is over.
    pub(crate) fn step(&mut self, cluster: &mut SimulatedCluster) -> bool {
        let now = cluster.now();
        let (due, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.mends).into_iter().partition(|(at, _)| *at <= now);
        self.mends = rest;
        for (_, mend) in due {
            self.mend(cluster, mend, now);
        }
        if now >= self.end {
            return false;
        }
        if now >= self.next
            && let Some(kind) = self.dice.pick(&self.kinds)
        {
            self.next = now + Duration::from_millis(self.dice.within(100..2_500));
            *self.struck.entry(kind).or_default() += 1;
            self.strike(cluster, kind, now);
        }
        true
    }

    /// Ends every fault.
    pub(crate) fn heal(&mut self, cluster: &mut SimulatedCluster) {
        self.mends.clear();
        let links = cluster.links();
        for (a, b) in &links {
            cluster.mend(a, b);
            cluster.sim.set_link_max_message_latency(a.as_str(), b.as_str(), LATENCY_MAX);
        }
        for at in 0..cluster.machines_count() {
            cluster.disk(at).set_capacity(u64::MAX);
            // A disk that has stopped works again once the power was off. Its process has not noticed where it wrote
            // nothing to its log since.
            if cluster.disk(at).is_stopping() {
                cluster.stop(at, true, cluster.now());
            }
        }
        cluster.start_all();
    }

    fn strike(&mut self, cluster: &mut SimulatedCluster, kind: Kind, now: Duration) {
        let at = self.dice.within(0..cluster.machines_count() as u64) as usize;
        let name = cluster.name(at);
        cluster.note(&format!("fault {kind:?} at {name}"));
        let lasts = Duration::from_millis(self.dice.within(200..3_000));
        match kind {
            Kind::PowerCut => cluster.stop(at, true, now + lasts),
            Kind::Kill => cluster.stop(at, false, now + lasts),
            Kind::PowerCutOfAll => {
                for at in 0..cluster.machines_count() {
                    let lasts = Duration::from_millis(self.dice.within(100..1_500));
                    cluster.stop(at, true, now + lasts);
                }
            }
            Kind::TornWrite => {
                cluster.disk(at).inject(DiskFault::StopsAfter { operations: self.dice.within(0..60) });
            }
            Kind::SyncFails => {
                cluster.disk(at).inject(DiskFault::SyncFails { after: self.dice.within(0..30) })
            }
            Kind::DiskFull => {
                let disk = cluster.disk(at);
                disk.set_capacity(disk.used_bytes() + self.dice.within(0..20_000));
                self.mends.push((now + lasts, Mend::Space(at)));
            }
            _ => self.strike_network(cluster, kind, &name, now, lasts),
        }
    }

    fn strike_network(
        &mut self,
        cluster: &mut SimulatedCluster,
        kind: Kind,
        name: &str,
        now: Duration,
        lasts: Duration,
    ) {
        let of_node: Vec<_> = cluster.links().into_iter().filter(|(a, b)| a == name || b == name).collect();
        match kind {
            Kind::Partition => {
                let side: Vec<bool> = (0..16).map(|_| self.dice.one_in(2)).collect();
                let number = |name: &str| name.trim_start_matches('n').parse::<usize>().unwrap_or(0);
                let is_in = |name: &str| side.get(number(name) % 16).copied().unwrap_or(false);
                let cut: Vec<_> = cluster.links().into_iter().filter(|(a, b)| is_in(a) != is_in(b)).collect();
                for (a, b) in &cut {
                    cluster.cut(a, b);
                    cluster.cut(b, a);
                }
                self.mends.push((now + lasts, Mend::Links(cut)));
            }
            Kind::OneWay => {
                let outwards = self.dice.one_in(2);
                for (a, b) in &of_node {
                    let (from, to) = if (a == name) == outwards { (a, b) } else { (b, a) };
                    cluster.cut(from, to);
                }
                self.mends.push((now + lasts, Mend::Links(of_node)));
            }
            Kind::Hold => {
                for (a, b) in &of_node {
                    cluster.hold(a, b);
                }
                self.mends.push((now + lasts, Mend::Links(of_node)));
            }
            Kind::SlowLinks => {
                let latency = Duration::from_millis(self.dice.within(20..300));
                for (a, b) in &of_node {
                    cluster.sim.set_link_max_message_latency(a.as_str(), b.as_str(), latency);
                }
                self.mends.push((now + lasts, Mend::Speed(of_node)));
            }
            _ => {
                if let Some(pair) = of_node.into_iter().next() {
                    let left = self.dice.within(2..12);
                    self.mends.push((now, Mend::Flap { pair, left }));
                }
            }
        }
    }

    fn mend(&mut self, cluster: &mut SimulatedCluster, mend: Mend, now: Duration) {
        match mend {
            Mend::Links(links) => links.iter().for_each(|(a, b)| cluster.mend(a, b)),
            Mend::Speed(links) => links.iter().for_each(|(a, b)| {
                cluster.sim.set_link_max_message_latency(a.as_str(), b.as_str(), LATENCY_MAX);
            }),
            Mend::Space(at) => cluster.disk(at).set_capacity(u64::MAX),
            Mend::Flap { pair, left } => {
                let (a, b) = (pair.0.as_str(), pair.1.as_str());
                if left.is_multiple_of(2) {
                    cluster.cut(a, b);
                    cluster.cut(b, a);
                } else {
                    cluster.mend(a, b);
                }
                let again = now + Duration::from_millis(self.dice.within(20..300));
                if left > 1 {
                    self.mends.push((again, Mend::Flap { pair, left: left - 1 }));
                } else {
                    self.mends.push((again, Mend::Links(vec![pair])));
                }
            }
        }
    }
}
