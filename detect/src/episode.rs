//! One alert per incident: opens at the threshold, closes after ten quiet minutes, speaks again only when it gets much
//! worse or lasts half a day.

use serde::{Deserialize, Serialize};

pub(crate) const QUIET_SECS: i64 = 600;
const AGAIN_FACTOR: f64 = 1.3;
const AGAIN_SECS: i64 = 12 * 3_600;

/// What a window means for the service's episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing is the matter.
    Calm,
    /// An incident begins: alert.
    Opened,
    /// It goes on.
    Continued,
    /// It goes on, much worse or for long: alert again.
    Again,
    /// It is over, and was at the end of the last loud window.
    Closed,
}

/// The open episode of a service, if any. Times are seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    open: Option<Open>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Open {
    loud_at: i64,
    alerted_at: i64,
    /// Score of the last alert.
    alerted: f64,
}

impl Episode {
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Takes the score of a window that ends at `secs`; 1 is the threshold.
    pub fn step(&mut self, secs: i64, score: f64) -> Step {
        let Some(open) = &mut self.open else {
            if score < 1.0 {
                return Step::Calm;
            }
            self.open = Some(Open { loud_at: secs, alerted_at: secs, alerted: score });
            return Step::Opened;
        };
        if score < 1.0 {
            if secs - open.loud_at < QUIET_SECS {
                return Step::Continued;
            }
            self.open = None;
            return Step::Closed;
        }
        open.loud_at = secs;
        // The evidence of an incident grows as its window fills; that is no second piece of news.
        let is_filling = secs - open.alerted_at < QUIET_SECS;
        if is_filling {
            open.alerted = open.alerted.max(score);
            return Step::Continued;
        }
        if score < AGAIN_FACTOR * open.alerted && secs - open.alerted_at < AGAIN_SECS {
            return Step::Continued;
        }
        open.alerted = open.alerted.max(score);
        open.alerted_at = secs;
        Step::Again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_incident_is_one_alert() {
        let mut episode = Episode::default();
        let scores = [0.2, 1.5, 3.0, 2.0, 0.5, 0.1];
        let steps: Vec<Step> =
            (0..).step_by(60).zip(scores).map(|(secs, score)| episode.step(secs, score)).collect();
        use Step::{Calm, Continued, Opened};
        assert_eq!(steps, [Calm, Opened, Continued, Continued, Continued, Continued]);
        assert_eq!(episode.step(700, 0.0), Continued);
        assert_eq!(episode.step(780, 0.0), Step::Closed);
        assert!(!episode.is_open());
    }

    #[test]
    fn it_speaks_again_when_much_worse_or_long() {
        let mut episode = Episode::default();
        assert_eq!(episode.step(0, 2.0), Step::Opened);
        assert_eq!(episode.step(700, 2.5), Step::Continued);
        assert_eq!(episode.step(710, 2.7), Step::Again);
        let mut last = Step::Calm;
        for secs in (720..50_000).step_by(300) {
            last = episode.step(secs, 1.1);
            if last != Step::Continued {
                assert!(secs >= 710 + AGAIN_SECS);
                break;
            }
        }
        assert_eq!(last, Step::Again);
    }
}
