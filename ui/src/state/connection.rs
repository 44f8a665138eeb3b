//! The live connection's life: when to try again, and what to tell the reader meanwhile.
//!
//! Decides only; the page opens the socket whenever `generation` changes.

/// The node sends a frame at least every 5 s. Two missed ones and some slack mean that the
/// connection is dead even if the browser has not noticed.
const SILENCE_MS_MAX: f64 = 12_000.0;
/// After this long without a connection the screen says that what it shows is old.
const STALE_AFTER_MS: f64 = 10_000.0;
/// First wait before a new try; doubles with each failed one.
const BACKOFF_MS_FIRST: f64 = 500.0;
/// Longest wait: a person who has just repaired the node should not sit and wait.
const BACKOFF_MS_MAX: f64 = 8_000.0;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Connecting,
    Open,
    Waiting { retry_at_ms: f64 },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    phase: Phase,
    /// Failed tries since the last frame was heard.
    failures: u32,
    /// Grows by one each time a new socket is wanted.
    pub generation: u32,
    heard_at_ms: f64,
    lost_at_ms: Option<f64>,
}

/// What the reader is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Health {
    Connecting,
    /// Frames arrive.
    Live,
    /// The last request was answered; nothing streams.
    Connected,
    Reconnecting {
        retry_in_secs: u32,
    },
    Stale {
        for_secs: u32,
    },
}

impl Connection {
    pub fn new(generation: u32) -> Connection {
        Connection { phase: Phase::Connecting, failures: 0, generation, heard_at_ms: 0.0, lost_at_ms: None }
    }

    /// The socket is open.
    pub fn opened(&mut self, now_ms: f64) {
        self.phase = Phase::Open;
        self.heard_at_ms = now_ms;
    }

    /// A frame arrived: only now is the connection known to be good.
    pub fn heard(&mut self, now_ms: f64) {
        self.phase = Phase::Open;
        self.heard_at_ms = now_ms;
        self.failures = 0;
        self.lost_at_ms = None;
    }

    /// The socket closed or never opened. `jitter` is in 0..1 and keeps a crowd of browsers from
    /// coming back in the same instant.
    pub fn closed(&mut self, now_ms: f64, jitter: f64) {
        self.lost_at_ms.get_or_insert(now_ms);
        let doubled = BACKOFF_MS_FIRST * 2_f64.powi(self.failures.min(10) as i32);
        let wait_ms = doubled.min(BACKOFF_MS_MAX) * (0.5 + jitter / 2.0);
        self.failures += 1;
        self.phase = Phase::Waiting { retry_at_ms: now_ms + wait_ms };
    }

    /// Time passes: true when a new socket is now wanted.
    pub fn tick(&mut self, now_ms: f64) -> bool {
        match self.phase {
            Phase::Waiting { retry_at_ms } if now_ms >= retry_at_ms => {
                self.retry();
                true
            }
            Phase::Open if now_ms - self.heard_at_ms > SILENCE_MS_MAX => {
                self.lost_at_ms.get_or_insert(self.heard_at_ms);
                self.failures += 1;
                self.retry();
                true
            }
            _ => false,
        }
    }

    /// Tries at once.
    pub fn retry(&mut self) {
        self.phase = Phase::Connecting;
        self.generation = self.generation.wrapping_add(1);
    }

    pub fn health(&self, now_ms: f64) -> Health {
        let secs = |ms: f64| (ms.max(0.0) / 1_000.0).ceil() as u32;
        match (self.lost_at_ms, self.phase) {
            (None, Phase::Open) => Health::Live,
            (None, _) => Health::Connecting,
            (Some(lost_at_ms), _) if now_ms - lost_at_ms > STALE_AFTER_MS => {
                Health::Stale { for_secs: secs(now_ms - lost_at_ms) }
            }
            (Some(_), Phase::Waiting { retry_at_ms }) => {
                Health::Reconnecting { retry_in_secs: secs(retry_at_ms - now_ms) }
            }
            (Some(_), _) => Health::Reconnecting { retry_in_secs: 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound() {
        let mut connection = Connection::new(0);
        let mut waits = Vec::new();
        let mut now_ms = 0.0;
        for _ in 0..7 {
            connection.closed(now_ms, 1.0);
            let start_ms = now_ms;
            while !connection.tick(now_ms) {
                now_ms += 100.0;
            }
            waits.push(now_ms - start_ms);
        }
        assert_eq!(waits, [500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 8_000.0, 8_000.0]);
        assert_eq!(connection.generation, 7);
    }

    #[test]
    fn a_silent_socket_is_replaced_and_reported() {
        let mut connection = Connection::new(0);
        connection.heard(1_000.0);
        assert_eq!(connection.health(1_000.0), Health::Live);
        assert!(!connection.tick(1_000.0 + SILENCE_MS_MAX));
        assert!(connection.tick(1_001.0 + SILENCE_MS_MAX));
        assert_eq!(connection.generation, 1);
        assert!(matches!(connection.health(14_000.0), Health::Stale { for_secs: 13 }));
    }

    #[test]
    fn an_open_socket_that_says_nothing_does_not_reset_the_backoff() {
        let mut connection = Connection::new(0);
        connection.closed(0.0, 1.0);
        connection.retry();
        connection.opened(600.0);
        assert_eq!(connection.health(700.0), Health::Reconnecting { retry_in_secs: 0 });
        connection.closed(700.0, 1.0);
        assert!(!connection.tick(1_600.0) && connection.tick(1_700.0));
    }

    #[test]
    fn the_first_frame_after_a_loss_makes_it_live_again() {
        let mut connection = Connection::new(0);
        connection.closed(0.0, 0.0);
        assert_eq!(connection.health(0.0), Health::Reconnecting { retry_in_secs: 1 });
        assert_eq!(connection.health(20_000.0), Health::Stale { for_secs: 20 });
        connection.retry();
        connection.heard(20_500.0);
        assert_eq!(connection.health(20_500.0), Health::Live);
    }
}
