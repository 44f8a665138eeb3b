//! The live tail: what arrived, what is held back while somebody reads, and how healthy the stream is.

use std::collections::HashSet;
use std::rc::Rc;

use yew::Reducible;

use crate::api::error::ApiError;
use crate::api::logs::{Frame, Page};
use crate::api::record::{Line, Record};

use super::connection::{Connection, Health};
use super::lines::Lines;

/// Share of the newest second in the shown rate: calm enough to read, quick enough to trust.
const RATE_WEIGHT: f64 = 0.4;
/// The shown rate is renewed this often.
const RATE_EVERY_MS: f64 = 1_000.0;

/// Everything the live view shows.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Grows with every visible change; two states of one stream are equal if this is.
    revision: u64,
    /// The number of the newest request for the history.
    epoch: u32,
    /// Newest first.
    pub lines: Lines,
    /// Arrived while held, newest first.
    held: Lines,
    /// Held lines that had to be given up because the hold lasted long.
    pub held_lost: u64,
    pub hold: Hold,
    pub cursor: Option<String>,
    pub received: u64,
    pub skipped: u64,
    pub rate_per_sec: f64,
    rate_window: (f64, u64),
    pub connection: Connection,
    /// What the screen says about the connection, as of the last event.
    pub health: Health,
    pub history: History,
    /// Grows each time the reader asks for the history again.
    pub asked: u32,
}

/// Why the list stands still. Any reason is enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hold {
    pub paused: bool,
    /// The reader has scrolled away from the newest line.
    pub scrolled: bool,
    /// A record is open or chosen.
    pub reading: bool,
}

impl Hold {
    pub fn any(self) -> bool {
        self.paused || self.scrolled || self.reading
    }
}

/// The records from before the stream began.
#[derive(Clone, Debug, PartialEq)]
pub enum History {
    Loading,
    Loaded,
    Failed(ApiError),
}

#[derive(Debug)]
pub enum StreamAction {
    /// The filter changed: nothing of the old stream remains.
    Restart {
        epoch: u32,
    },
    Opened {
        now_ms: f64,
    },
    Frames {
        frames: Vec<Frame>,
        now_ms: f64,
    },
    Closed {
        now_ms: f64,
        jitter: f64,
    },
    Tick {
        now_ms: f64,
    },
    RetryNow,
    /// Ask for the history again.
    AskAgain,
    /// The history was asked for again.
    Asked {
        epoch: u32,
    },
    /// `epoch` tells answers for an older filter apart.
    History {
        epoch: u32,
        result: Result<Page, ApiError>,
    },
    /// A frame that this dashboard does not understand.
    Unreadable(ApiError),
    TogglePause,
    Scrolled {
        away: bool,
    },
    Reading(bool),
    /// Back to the newest line, whatever held the list.
    Resume,
    Clear,
}

impl Default for Stream {
    fn default() -> Self {
        Stream {
            revision: 0,
            epoch: 0,
            lines: Lines::default(),
            held: Lines::default(),
            held_lost: 0,
            hold: Hold::default(),
            cursor: None,
            received: 0,
            skipped: 0,
            rate_per_sec: 0.0,
            rate_window: (0.0, 0),
            connection: Connection::new(0),
            health: Health::Connecting,
            history: History::Loading,
            asked: 0,
        }
    }
}

impl PartialEq for Stream {
    fn eq(&self, other: &Self) -> bool {
        self.revision == other.revision
    }
}

impl Reducible for Stream {
    type Action = StreamAction;

    fn reduce(self: Rc<Self>, action: StreamAction) -> Rc<Self> {
        let mut next = (*self).clone();
        if next.apply(action) {
            next.revision += 1;
        }
        Rc::new(next)
    }
}

impl Stream {
    /// Lines waiting until the hold ends.
    pub fn held_count(&self) -> u64 {
        self.held.len() as u64 + self.held_lost
    }

    /// Applies the action; true if something visible changed.
    fn apply(&mut self, action: StreamAction) -> bool {
        match action {
            StreamAction::Restart { epoch } => self.restart(epoch),
            StreamAction::Opened { now_ms } => self.connection.opened(now_ms),
            StreamAction::Frames { frames, now_ms } => self.take_frames(frames, now_ms),
            StreamAction::Closed { now_ms, jitter } => {
                self.connection.closed(now_ms, jitter);
                self.health = self.health_at(now_ms);
            }
            StreamAction::Tick { now_ms } => return self.tick(now_ms),
            StreamAction::RetryNow => self.connection.retry(),
            StreamAction::AskAgain => self.asked = self.asked.wrapping_add(1),
            StreamAction::Asked { epoch } => {
                self.epoch = epoch;
                self.history = History::Loading;
            }
            StreamAction::History { epoch, .. } if epoch != self.epoch => return false,
            StreamAction::History { result: Ok(page), .. } => self.add_history(page.records),
            StreamAction::History { result: Err(error), .. } => self.history = History::Failed(error),
            StreamAction::Unreadable(error) => self.history = History::Failed(error),
            StreamAction::TogglePause => {
                let hold = if self.hold.any() { Hold::default() } else { Hold { paused: true, ..self.hold } };
                self.set_hold(hold);
            }
            StreamAction::Scrolled { away } => self.set_hold(Hold { scrolled: away, ..self.hold }),
            StreamAction::Reading(reading) => self.set_hold(Hold { reading, ..self.hold }),
            StreamAction::Resume => self.set_hold(Hold::default()),
            StreamAction::Clear => self.lines = Lines::default(),
        }
        true
    }

    fn restart(&mut self, epoch: u32) {
        let connection = Connection::new(self.connection.generation.wrapping_add(1));
        let hold = Hold { paused: self.hold.paused, ..Hold::default() };
        *self = Stream {
            revision: self.revision,
            epoch,
            connection,
            hold,
            asked: self.asked,
            ..Stream::default()
        };
    }

    fn take_frames(&mut self, frames: Vec<Frame>, now_ms: f64) {
        self.connection.heard(now_ms);
        let is_back = std::mem::replace(&mut self.health, Health::Live) != Health::Live;
        if is_back && matches!(self.history, History::Failed(_)) {
            // The node answers again, so what failed then may be had now.
            self.asked = self.asked.wrapping_add(1);
        }
        for frame in frames {
            if let Some(skipped) = frame.skipped {
                self.skipped += skipped;
                self.take_line(Line::Skipped(skipped));
            }
            for record in frame.records.into_iter().flatten() {
                self.received += 1;
                self.take_line(Line::Record(Rc::new(record)));
            }
            self.cursor = Some(frame.cursor);
        }
    }

    fn take_line(&mut self, line: Line) {
        if !self.hold.any() {
            self.lines.push_newest(line);
        } else if self.held.push_newest(line) {
            self.held_lost += 1;
        }
    }

    fn set_hold(&mut self, hold: Hold) {
        self.hold = hold;
        if hold.any() || self.held.is_empty() {
            return;
        }
        let held = std::mem::take(&mut self.held);
        if self.held_lost > 0 {
            // The oldest held lines are gone, so the list has a gap and must say so.
            self.lines.push_newest(Line::Skipped(std::mem::take(&mut self.held_lost)));
        }
        let mut oldest_first: Vec<&Line> = held.iter().collect();
        oldest_first.reverse();
        for line in oldest_first {
            self.lines.push_newest(line.clone());
        }
    }

    /// Puts older records under the live ones. The two requests overlap in time, so a record may come
    /// by both ways; it is shown once.
    fn add_history(&mut self, records: Vec<Record>) {
        let known: HashSet<String> = [&self.lines, &self.held]
            .into_iter()
            .flat_map(|lines| lines.iter())
            .filter_map(|line| line.record().map(|record| record.head.log_id.clone()))
            .collect();
        for record in records {
            if !known.contains(&record.head.log_id) {
                self.lines.push_oldest(Line::Record(Rc::new(record)));
            }
        }
        self.history = History::Loaded;
    }

    fn tick(&mut self, now_ms: f64) -> bool {
        let wants_socket = !self.is_refused() && self.connection.tick(now_ms);
        let health = self.health_at(now_ms);
        let rate_per_sec = self.measure_rate(now_ms);
        let changed = wants_socket || health != self.health || rate_per_sec != self.rate_per_sec;
        self.health = health;
        self.rate_per_sec = rate_per_sec;
        changed
    }

    /// The node answers, but not to this request: trying again and again would not change that.
    fn is_refused(&self) -> bool {
        matches!(&self.history, History::Failed(error) if error.is_final())
    }

    fn health_at(&self, now_ms: f64) -> Health {
        if self.is_refused() { Health::Connected } else { self.connection.health(now_ms) }
    }

    fn measure_rate(&mut self, now_ms: f64) -> f64 {
        let (since_ms, received_then) = self.rate_window;
        let elapsed_ms = now_ms - since_ms;
        if elapsed_ms < RATE_EVERY_MS {
            return self.rate_per_sec;
        }
        self.rate_window = (now_ms, self.received);
        if since_ms == 0.0 {
            return 0.0;
        }
        let newest = self.received.saturating_sub(received_then) as f64 * 1_000.0 / elapsed_ms;
        let smooth = self.rate_per_sec + (newest - self.rate_per_sec) * RATE_WEIGHT;
        if smooth < 0.05 { 0.0 } else { smooth }
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
