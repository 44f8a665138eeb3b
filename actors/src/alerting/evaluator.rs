//! The evaluator of alerts.
//!
//! owns: what past minutes were like, for a minute. hears: its own timer. tells: the control group what it has seen, where that
//! changes anything; only while this node leads that group. bound: one message, sent when the last was handled. on
//! restart: it looks again.

use std::collections::BTreeMap;
use std::time::Duration;

use insighthub_model::alerts::{Rule, Step, first_rules};
use insighthub_storage::control::alerts::{AlertCommand, Observation};
use insighthub_storage::control::{ControlCommand, ControlReply};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::time::Instant;

use super::AlertingOptions;
use super::cause::cause_of;
use super::judging::Window;
use super::looking::{Memory, judge_all, observations};
use super::questions::records_of;
use crate::mailbox::{Mailbox, Queued};

/// Between two looks: what crosses a threshold is told well within five seconds.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A look that takes longer leaves out what has not answered.
const LOOK_WITHIN: Duration = Duration::from_secs(10);
/// A message waits no longer for its cause.
const CAUSE_WITHIN: Duration = Duration::from_secs(2);
/// Causes that are looked for in one look: in a storm the first ones tell enough.
const CAUSES_MAX: usize = 20;
/// Observations of one command: 256 with their evidence are some 100 KiB.
const OBSERVATIONS_MAX: usize = 256;

#[derive(Debug)]
pub(crate) enum EvaluatorMessage {
    Look,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Evaluator;

#[derive(Debug, Clone)]
pub(crate) struct EvaluatorArguments {
    pub(crate) options: AlertingOptions,
    pub(crate) mailbox: Mailbox<EvaluatorMessage>,
}

#[derive(Debug)]
pub(crate) struct State {
    arguments: EvaluatorArguments,
    memory: Memory,
}

impl Actor for Evaluator {
    type Msg = Queued<EvaluatorMessage>;
    type State = State;
    type Arguments = EvaluatorArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        arguments: EvaluatorArguments,
    ) -> Result<State, ActorProcessingErr> {
        let state = State { arguments, memory: Memory::default() };
        state.look_later(&myself);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        queued: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match queued.message {
            EvaluatorMessage::Look => state.look().await,
        }
        state.look_later(&myself);
        Ok(())
    }
}

impl State {
    fn look_later(&self, myself: &ActorRef<Queued<EvaluatorMessage>>) {
        let mailbox = self.arguments.mailbox.clone();
        myself.send_after(LOOK_EVERY, move || mailbox.enqueue(EvaluatorMessage::Look));
    }

    async fn look(&mut self) {
        let AlertingOptions { cluster, clock, .. } = &self.arguments.options;
        let control = &cluster.store.control;
        if !control.group.leadership().leads || control.group.is_handing_over() {
            self.memory = Memory::default();
            return;
        }
        let deadline = Instant::now() + LOOK_WITHIN;
        // A new leader first knows all that the one before it has said.
        if !cluster.catch_up_control(deadline).await {
            return;
        }
        let (is_installed, rules) = control.replica.read(|state| {
            let enabled = state.alerts.rules.iter().filter(|(_, entry)| entry.rule.enabled);
            let rules: BTreeMap<String, Rule> =
                enabled.map(|(name, entry)| (name.clone(), entry.rule.clone())).collect();
            (state.alerts.is_installed, rules)
        });
        let now = clock.now();
        if !is_installed {
            self.propose(AlertCommand::Install { rules: first_rules(), at: now }).await;
            return;
        }
        let judged = judge_all(cluster, &rules, now, &mut self.memory, deadline).await;
        let mut seen = control.replica.read(|state| observations(&state.alerts, &rules, judged, now));
        seen.truncate(OBSERVATIONS_MAX);
        if seen.is_empty() {
            return;
        }
        let observations = self.with_causes(&rules, seen).await;
        self.propose(AlertCommand::Observe { at: now, observations }).await;
    }

    /// Puts a cause into what people will be told of.
    async fn with_causes(
        &self,
        rules: &BTreeMap<String, Rule>,
        seen: Vec<(Observation, Step)>,
    ) -> Vec<Observation> {
        let cluster = &self.arguments.options.cluster;
        let deadline = Instant::now() + CAUSE_WITHIN;
        let mut looked_for = 0;
        let mut observations = Vec::with_capacity(seen.len());
        for (mut observation, step) in seen {
            let is_told = matches!(step, Step::Fire | Step::Reopen { .. } | Step::Announce | Step::Repeat);
            if let (true, Some(evidence), Some(rule)) =
                (is_told, &mut observation.evidence, rules.get(&observation.rule))
                && evidence.cause.is_none()
                && looked_for < CAUSES_MAX
            {
                looked_for += 1;
                let window = Window { from: evidence.from, to: evidence.to };
                let records = records_of(rule, &observation.group);
                evidence.cause = cause_of(cluster, &records, window, deadline).await;
            }
            observations.push(observation);
        }
        observations
    }

    async fn propose(&self, command: AlertCommand) {
        let cluster = &self.arguments.options.cluster;
        match cluster.propose_control(ControlCommand::Alert(command)).await {
            Ok(ControlReply::Done) => {}
            Ok(reply) => tracing::warn!(?reply, "what was seen by rules was not taken"),
            // The next look sees the same.
            Err(error) => tracing::info!(%error, "what was seen by rules is not committed yet"),
        }
    }
}
