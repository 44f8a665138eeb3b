//! The simulated machines and the network between them, as the driver handles them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use insighthub_storage::fs::SimFs;
use parking_lot::Mutex;
use turmoil::Sim;

use crate::Mutation;
use crate::clients::{Client, Progress};
use crate::faults::LATENCY_MAX;
use crate::history::History;
use crate::node::{Machine, Running, member};

/// A step of the simulation; all timers are finer or coarser by no more.
const TICK: Duration = Duration::from_millis(1);
/// Turmoil's own limit, far above ours.
const DURATION_MAX: Duration = Duration::from_secs(600);
/// Segments on their way on one connection, and connections that wait.
const TCP_CAPACITY: usize = 4_096;

/// What happens to messages of one direction between two machines; without an entry they pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Cut,
    Held,
}

/// Whether a machine's process is meant to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    On,
    /// Until then.
    Off(Duration),
}

pub(crate) struct SimulatedCluster {
    pub(crate) sim: Sim<'static>,
    pub(crate) history: Arc<Mutex<History>>,
    pub(crate) progress: Arc<Mutex<Progress>>,
    machines: Arc<Mutex<Vec<Machine>>>,
    power: Vec<Power>,
    blocks: BTreeMap<(String, String), Block>,
    seed: u64,
    mutation: Mutation,
    /// Processes that ended by themselves because their log failed.
    pub(crate) failed_logs: u64,
}

impl SimulatedCluster {
    pub(crate) fn new(
        seed: u64,
        mutation: Mutation,
        nodes: u64,
        place: &Path,
        history: Arc<Mutex<History>>,
    ) -> SimulatedCluster {
        let sim = turmoil::Builder::new()
            .rng_seed(seed)
            .tick_duration(TICK)
            .simulation_duration(DURATION_MAX)
            .min_message_latency(Duration::from_micros(100))
            .max_message_latency(LATENCY_MAX)
            .tcp_capacity(TCP_CAPACITY)
            .build();
        let mut cluster = SimulatedCluster {
            sim,
            history,
            progress: Arc::default(),
            machines: Arc::default(),
            power: Vec::new(),
            blocks: BTreeMap::new(),
            seed,
            mutation,
            failed_logs: 0,
        };
        for number in 1..=nodes {
            cluster.add_machine(number, nodes, place);
        }
        let client = Client {
            seed,
            machines: Arc::clone(&cluster.machines),
            history: Arc::clone(&cluster.history),
            progress: Arc::clone(&cluster.progress),
        };
        cluster.sim.host("clients", move || client.clone().run_all());
        cluster
    }

    /// A machine with an empty disk, whose configuration lists so many nodes.
    pub(crate) fn add_machine(&mut self, number: u64, listed: u64, place: &Path) {
        let disk = SimFs::new(self.seed.wrapping_mul(131).wrapping_add(number));
        if self.mutation == Mutation::SkipSync {
            disk.skip_syncs();
        }
        let name = format!("n{number}");
        let machine = Machine {
            number,
            directory: place.join(&name),
            name: name.clone(),
            seed: self.seed,
            mutation: self.mutation,
            listed: (1..=listed).map(member).collect(),
            disk: Arc::new(Mutex::new(disk)),
            history: Arc::clone(&self.history),
            running: Arc::default(),
            service: Arc::default(),
            has_ended: Arc::default(),
            lives: Arc::default(),
        };
        self.machines.lock().push(machine.clone());
        self.power.push(Power::On);
        self.sim.host(name, move || machine.clone().run());
    }

    pub(crate) fn now(&self) -> Duration {
        self.sim.elapsed()
    }

    pub(crate) fn machines_count(&self) -> usize {
        self.power.len()
    }

    pub(crate) fn name(&self, at: usize) -> String {
        self.machines.lock().get(at).map_or_else(String::new, |machine| machine.name.clone())
    }

    fn has_ended(&self, at: usize) -> bool {
        self.machines.lock().get(at).is_some_and(|machine| *machine.has_ended.lock())
    }

    pub(crate) fn disk(&self, at: usize) -> SimFs {
        let machines = self.machines.lock();
        let disk = machines.get(at).map(|machine| machine.disk.lock().clone());
        disk.unwrap_or_else(|| SimFs::new(0))
    }

    /// The processes that run, with their names.
    pub(crate) fn running(&self) -> Vec<(String, Running)> {
        let machines = self.machines.lock();
        let running = machines
            .iter()
            .filter_map(|machine| Some((machine.name.clone(), machine.running.lock().clone()?)));
        running.collect()
    }

    /// Every pair of nodes.
    pub(crate) fn links(&self) -> Vec<(String, String)> {
        let names: Vec<String> = (0..self.machines_count()).map(|at| self.name(at)).collect();
        let pairs = names
            .iter()
            .enumerate()
            .flat_map(|(at, a)| names.iter().skip(at + 1).map(move |b| (a.clone(), b.clone())));
        pairs.collect()
    }

    pub(crate) fn note(&self, event: &str) {
        self.history.lock().note("driver", event);
    }

    /// Ends a machine's process until then, with the power or without.
    pub(crate) fn stop(&mut self, at: usize, loses_power: bool, until: Duration) {
        let Some(machine) = self.machines.lock().get(at).cloned() else { return };
        // First the disk, so that nothing the dying process does reaches it.
        let mut disk = machine.disk.lock();
        let next = if loses_power { disk.power_cut() } else { disk.kill() };
        *disk = next;
        drop(disk);
        machine.forget_process();
        self.note(&format!("{} stops, power {loses_power}", machine.name));
        self.crash_in_silence(&machine.name);
        if let Some(power) = self.power.get_mut(at) {
            *power = Power::Off(until);
        }
    }

    /// The tasks of a process are dropped in no certain order; what they would send must not reach anybody.
    fn crash_in_silence(&mut self, name: &str) {
        let others: Vec<String> =
            (0..self.machines_count()).map(|at| self.name(at)).filter(|other| other != name).collect();
        for other in &others {
            self.sim.partition(name, other.as_str());
        }
        self.sim.crash(name);
        for other in &others {
            self.sim.repair(name, other.as_str());
            for (from, to) in [(name, other.as_str()), (other.as_str(), name)] {
                match self.blocks.get(&(from.to_owned(), to.to_owned())) {
                    Some(Block::Cut) => self.sim.partition_oneway(from, to),
                    Some(Block::Held) => self.sim.hold(from, to),
                    None => {}
                }
            }
        }
    }

    /// Messages from one machine to the other are lost.
    pub(crate) fn cut(&mut self, from: &str, to: &str) {
        self.sim.partition_oneway(from, to);
        self.blocks.insert((from.to_owned(), to.to_owned()), Block::Cut);
    }

    /// Messages between the two wait.
    pub(crate) fn hold(&mut self, a: &str, b: &str) {
        self.sim.hold(a, b);
        for (from, to) in [(a, b), (b, a)] {
            self.blocks.insert((from.to_owned(), to.to_owned()), Block::Held);
        }
    }

    /// Messages between the two pass again, those that wait included.
    pub(crate) fn mend(&mut self, a: &str, b: &str) {
        self.sim.repair(a, b);
        self.sim.release(a, b);
        for (from, to) in [(a, b), (b, a)] {
            self.blocks.remove(&(from.to_owned(), to.to_owned()));
        }
    }

    /// Starts machines whose time off is over, and takes note of processes that ended by themselves.
    fn keep_power(&mut self) {
        let now = self.now();
        for at in 0..self.machines_count() {
            let name = self.name(at);
            match self.power.get(at) {
                Some(Power::Off(until)) if *until <= now => {
                    self.sim.bounce(name.as_str());
                    if let Some(power) = self.power.get_mut(at) {
                        *power = Power::On;
                    }
                }
                Some(Power::On) if self.has_ended(at) => {
                    self.failed_logs += 1;
                    // Every other one loses power on top of it.
                    let loses_power = self.failed_logs % 2 == 1;
                    self.stop(at, loses_power, now + Duration::from_millis(300));
                }
                _ => {}
            }
        }
    }

    /// Ends all time off.
    pub(crate) fn start_all(&mut self) {
        let now = self.now();
        for power in &mut self.power {
            if let Power::Off(until) = power {
                *until = now.min(*until);
            }
        }
    }

    /// One tick of everything.
    pub(crate) fn step(&mut self) -> turmoil::Result {
        self.keep_power();
        self.history.lock().now = self.sim.elapsed();
        self.sim.step()?;
        Ok(())
    }
}

impl Drop for SimulatedCluster {
    fn drop(&mut self) {
        // The processes go before their simulation: what they hold of each other would keep both alive.
        for machine in self.machines.lock().iter() {
            machine.forget_process();
        }
    }
}
