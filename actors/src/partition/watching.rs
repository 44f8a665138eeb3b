//! Time passes for detectors: the leader puts its clock into the log every ten seconds, and every replica's detectors follow
//! the log as often.

use std::sync::Arc;

use insighthub_model::Timestamp;
use insighthub_model::detection::DetectionSettings;
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_storage::command::Command;
use insighthub_storage::group::Group;

use super::{PartitionMessage, State};

/// Windows are slid by as much.
const TICK_NANOS: i64 = 10 * NANOS_PER_SEC;

/// When detectors were last told of the time.
#[derive(Debug, Default)]
pub(super) struct Watching {
    /// `None` until the clock was first looked at. What a start finds unsealed waits for the tick after it: who asks first
    /// after a start need not share the machine with detectors that learn a whole head, and who needs them brings them up
    /// to date.
    tick: Option<i64>,
    is_under_way: bool,
}

impl Watching {
    /// True once for every ten seconds of the clock, while nothing is under way.
    fn is_due(&mut self, now: Timestamp) -> bool {
        let tick = now.0.div_euclid(TICK_NANOS);
        let is_due = !self.is_under_way && tick != *self.tick.get_or_insert(tick);
        if is_due {
            (self.tick, self.is_under_way) = (Some(tick), true);
        }
        is_due
    }

    pub(super) fn end(&mut self) {
        self.is_under_way = false;
    }
}

impl State {
    /// Detectors have caught up. Shards go on from them where these heed other settings.
    pub(super) fn watched(&mut self, is_told_anew: bool) {
        self.watching.end();
        if is_told_anew {
            self.shards.start_over();
        }
    }

    /// Ticks, if this node leads, and lets the detectors catch up. A partition without a record has no time.
    pub(super) fn watch_if_due(&mut self) {
        let now = self.arguments.clock.now();
        let replica = &self.arguments.group.replica;
        if !replica.has_records() || !self.watching.is_due(now) {
            return;
        }
        let group = self.arguments.group.group.clone();
        let (detection, replica) = (Arc::clone(&self.arguments.detection), Arc::clone(replica));
        let mailbox = self.arguments.mailbox.clone();
        let wanted = self.arguments.cluster.detection_settings();
        tokio::spawn(async move {
            let leads = group.leadership().leads && !group.is_handing_over();
            if leads && let Err(error) = group.propose(Command::Tick(now)).await {
                tracing::debug!(%error, "a tick was not committed; the next one makes up for it");
            }
            let is_told_anew = leads
                && replica.detection_settings().revision < wanted.revision
                && tell(&group, &wanted).await;
            let watching = tokio::task::spawn_blocking(move || detection.catch_up(&replica));
            match watching.await {
                Ok(alerts) if leads => alerts.iter().for_each(|alerted| {
                    tracing::info!(
                        service = alerted.service,
                        at = %Timestamp(alerted.alert.at_nanos),
                        score = alerted.alert.score,
                        "anomaly: {}",
                        alerted.alert.explanation.summary()
                    );
                }),
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "the detectors of a partition failed"),
            }
            drop(mailbox.send(PartitionMessage::Watched { is_told_anew }));
        });
    }
}

/// Brings the settings that were made into the log. False when that failed: the next tick tries again.
async fn tell(group: &Group, settings: &DetectionSettings) -> bool {
    match group.propose(Command::SetDetection(settings.clone())).await {
        Ok(_) => true,
        Err(error) => {
            tracing::debug!(%error, "settings of detection were not committed");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_due_once_in_ten_seconds_and_not_while_one_is_under_way() {
        let mut watching = Watching::default();
        let at = |secs: i64| Timestamp(secs * NANOS_PER_SEC);
        assert!(!watching.is_due(at(91)), "nothing was there to be told of before");
        assert!(!watching.is_due(at(99)));
        assert!(watching.is_due(at(100)));
        assert!(!watching.is_due(at(111)));
        watching.end();
        assert!(watching.is_due(at(111)));
        watching.end();
        assert!(!watching.is_due(at(119)));
        assert!(watching.is_due(at(120)));
    }
}
