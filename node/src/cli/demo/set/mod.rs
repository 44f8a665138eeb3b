//! The generated set: a day of twelve services in exactly as many records as asked for.
//!
//! A set follows from its size, seed and end alone, byte for byte, so that a measurement can be repeated
//! elsewhere and its answers computed without the system. Pure but for `file`.

pub(crate) mod args;
pub(crate) mod file;
pub(crate) mod planted;
mod queue;
mod rhythm;
mod services;
mod stack;
mod template;
#[cfg(test)]
mod tests;
mod trace;
mod variable;

use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;

use self::queue::ArrivalQueue;
use self::rhythm::Rhythm;
use self::template::{Template, Templates};
use self::trace::World;
use crate::cli::prng::Prng;

/// The span of a set.
const DAY_NANOS: i64 = 86_400 * NANOS_PER_SEC;
/// Requests arrive up to this long after their turn, so that a minute is not like the next.
const ARRIVAL_JITTER_MS: u64 = 2_000;
/// Records of no request, per request.
const IDLE_PER_REQUEST: f64 = 0.35;

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SetPlan {
    pub(crate) records: u64,
    pub(crate) seed: u64,
    /// The end: every record is older.
    pub(crate) until: Timestamp,
}

impl SetPlan {
    /// The start: no record is older.
    pub(crate) fn from(&self) -> Timestamp {
        Timestamp(self.until.0.saturating_sub(DAY_NANOS))
    }
}

/// The records of a set, one after the other.
#[derive(Debug)]
pub(crate) struct RecordSet {
    world: World,
    queue: ArrivalQueue,
    prng: Prng,
    phrase: Template,
    phrases_made: u64,
    trace_made: bool,
}

impl RecordSet {
    pub(crate) fn new(plan: &SetPlan) -> Result<RecordSet, String> {
        let world = World {
            templates: Templates::read()?,
            rhythm: Rhythm::new(plan.from()),
            until: plan.until,
            records: plan.records,
        };
        let phrase = template::message(planted::PHRASE_MESSAGE)?;
        let prng = Prng::new(plan.seed);
        let (queue, phrases_made, trace_made) = (ArrivalQueue::default(), 0, false);
        Ok(RecordSet { world, queue, prng, phrase, phrases_made, trace_made })
    }

    /// Appends the next record as a line of NDJSON; `false` when there are no more.
    pub(crate) fn next_line(&mut self, text: &mut Vec<u8>) -> bool {
        loop {
            // Nothing that is still to be made arrives before its turn.
            let made = self.queue.made();
            let turn = self.world.rhythm.moment(made as f64 / self.world.records.max(1) as f64);
            let is_last = made >= self.world.records;
            if self.queue.take_before(if is_last { Timestamp::MAX } else { turn }, text) {
                return true;
            }
            if is_last {
                return false;
            }
            self.make(turn);
        }
    }

    fn make(&mut self, turn: Timestamp) {
        let RecordSet { world, queue, prng, .. } = self;
        let made = queue.made();
        let start = later(turn, prng.below(ARRIVAL_JITTER_MS));
        if made >= planted::phrase_turn(self.phrases_made, world.records) {
            self.phrases_made += 1;
            return trace::planted(world, start, &self.phrase, queue, prng);
        }
        if made >= world.records / 2 && !self.trace_made {
            self.trace_made = true;
            let route = &services::ROUTES[planted::TRACE_ROUTE];
            return trace::request(world, start, route, Some(planted::TRACE_ID), queue, prng);
        }
        if prng.chance(IDLE_PER_REQUEST / (1.0 + IDLE_PER_REQUEST)) {
            return trace::idle(world, start, queue, prng);
        }
        let route = trace::route(prng);
        trace::request(world, start, route, None, queue, prng);
    }
}

fn later(moment: Timestamp, ms: u64) -> Timestamp {
    Timestamp(moment.0 + ms as i64 * (NANOS_PER_SEC / 1_000))
}
