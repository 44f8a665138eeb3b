//! Of the windows that end in one minute the loudest is kept.

use insighthub_model::Timestamp;
use insighthub_model::detection::{Channel, ServiceWindow};
use insighthub_model::timestamp::NANOS_PER_SEC;
use serde::{Deserialize, Serialize};

use crate::window::Window;

const MINUTE_NANOS: i64 = 60 * NANOS_PER_SEC;
/// Surprise from which a channel is told: once in ten windows.
const TOLD_FROM: f64 = 1.0;
/// A window without a record is kept from this score on.
const KEPT_FROM: f64 = 0.5;

/// The minute under way.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Minute {
    loudest: Option<ServiceWindow>,
}

impl Minute {
    /// Takes a window; answers the minute before once a new one has begun, unless there is nothing to be told of it.
    pub(crate) fn take(&mut self, window: &Window) -> Option<ServiceWindow> {
        let minute = |end: i64| (end - 1).div_euclid(MINUTE_NANOS);
        let is_over =
            self.loudest.as_ref().is_some_and(|known| minute(known.end.0) != minute(window.end_nanos));
        let done = if is_over { self.loudest.take() } else { None };
        if self.loudest.as_ref().is_none_or(|known| window.score >= known.score) {
            self.loudest = Some(told(window));
        }
        done.filter(is_worth_keeping)
    }

    /// The minute under way so far.
    pub(crate) fn so_far(&self) -> Option<&ServiceWindow> {
        self.loudest.as_ref().filter(|window| is_worth_keeping(window))
    }

    /// The latest minute says nothing yet, or there is none.
    pub(crate) fn is_warming_up(&self) -> bool {
        self.loudest.as_ref().is_none_or(|window| window.is_warming_up)
    }
}

fn is_worth_keeping(window: &ServiceWindow) -> bool {
    window.records > 0 || window.score >= KEPT_FROM
}

fn told(window: &Window) -> ServiceWindow {
    let mut channels: Vec<_> = Channel::ALL
        .into_iter()
        .zip(window.evidence)
        .zip(window.thresholds)
        .filter(|((_, evidence), _)| evidence.surprise >= TOLD_FROM)
        .collect();
    channels.sort_by(|((a, of_a), most_a), ((b, of_b), most_b)| {
        (of_b.surprise / most_b).total_cmp(&(of_a.surprise / most_a)).then(a.cmp(b))
    });
    let doubt = window.rate_due * window.rate_doubt;
    ServiceWindow {
        end: Timestamp(window.end_nanos),
        score: short(window.score),
        is_warming_up: window.is_warming_up,
        records: window.records,
        latency_ms: window.latency_ms.map(short),
        rate_band: (short((window.rate_due - doubt).max(0.0)), short(window.rate_due + doubt)),
        latency_due_ms: short(window.latency_due_ms),
        channels: channels
            .into_iter()
            .map(|((channel, mut evidence), _)| {
                for value in [&mut evidence.surprise, &mut evidence.observed, &mut evidence.expected] {
                    *value = short(*value);
                }
                (channel, evidence)
            })
            .collect(),
    }
}

/// Seven digits are enough to be shown, and compress.
fn short(value: f64) -> f64 {
    f64::from(value as f32)
}
