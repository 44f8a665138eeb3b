//! Faults of links: cut, cut one way, reset, slow. Through relays, or between namespaces by nftables.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::{Instant, sleep};

use super::fault::Way;
use super::{Effect, Nemesis};
use crate::cluster::link::Weather;

/// What was being written when a link was cut is through by then.
const SETTLED_AFTER: Duration = Duration::from_millis(100);
const RESET_EVERY: Duration = Duration::from_millis(100);
/// For a link whose speed was not said: the shaper needs one.
const FAST_BYTES_PER_SEC: u64 = 100_000_000;

impl Nemesis {
    /// Cuts a node from others.
    pub(super) async fn cut(
        &self,
        one: usize,
        others: &[usize],
        way: Way,
        length: Duration,
    ) -> Result<Effect> {
        ensure!(!others.is_empty(), "there is no other node to cut it from");
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        for other in others {
            if way != Way::Incoming {
                pairs.push((one, *other));
            }
            if way != Way::Outgoing {
                pairs.push((*other, one));
            }
        }
        if self.cluster.namespaces.is_some() {
            self.drop_frames(&pairs, length).await
        } else {
            self.hold_bytes(&pairs, length).await
        }
    }

    async fn hold_bytes(&self, pairs: &[(usize, usize)], length: Duration) -> Result<Effect> {
        let links = &self.cluster.links;
        let passed = || pairs.iter().map(|(from, to)| links.passed_bytes(*from, *to)).sum::<u64>();
        let held = || pairs.iter().map(|(from, to)| links.held(*from, *to)).sum::<u64>();
        let held_before = held();
        for (from, to) in pairs {
            links.set(*from, *to, Weather::CUT);
        }
        sleep(SETTLED_AFTER).await;
        let before = passed();
        sleep(length.saturating_sub(SETTLED_AFTER)).await;
        let (came_through, was_held) = (passed() - before, held() - held_before);
        for (from, to) in pairs {
            links.set(*from, *to, Weather::default());
        }
        ensure!(came_through == 0, "{came_through} bytes came through the cut");
        ensure!(was_held > 0, "nobody tried to send anything through the cut");
        Ok(Effect::seen(format!("{pairs:?} cut for {length:?}, {was_held} bytes and calls held")))
    }

    async fn drop_frames(&self, pairs: &[(usize, usize)], length: Duration) -> Result<Effect> {
        let Some(namespaces) = &self.cluster.namespaces else { anyhow::bail!("there are no namespaces") };
        tokio::task::block_in_place(|| namespaces.cut(pairs))?;
        sleep(length).await;
        let dropped = tokio::task::block_in_place(|| namespaces.dropped_frames());
        tokio::task::block_in_place(|| namespaces.cut(&[]))?;
        let dropped = dropped?;
        ensure!(dropped > 0, "nobody tried to send anything through the cut");
        Ok(Effect::seen(format!("{pairs:?} cut for {length:?}, {dropped} frames dropped")))
    }

    pub(super) async fn reset_connections(&self, one: usize, length: Duration) -> Result<Effect> {
        let (links, others) = (&self.cluster.links, self.others(one));
        let resets = || others.iter().map(|other| links.resets(one, *other)).sum::<u64>();
        let (before, started) = (resets(), Instant::now());
        while started.elapsed() < length {
            others.iter().for_each(|other| links.reset(one, *other));
            sleep(RESET_EVERY).await;
        }
        let count = resets() - before;
        ensure!(count > 0, "there was no connection to reset");
        Ok(Effect::seen(format!("{count} connections reset")))
    }

    pub(super) async fn slow_down(
        &self,
        one: usize,
        delay: Duration,
        bytes_per_sec: Option<u64>,
        length: Duration,
    ) -> Result<Effect> {
        if let Some(namespaces) = &self.cluster.namespaces {
            let rate = bytes_per_sec.unwrap_or(FAST_BYTES_PER_SEC);
            tokio::task::block_in_place(|| namespaces.slow_down(one, rate))?;
            sleep(length).await;
            tokio::task::block_in_place(|| namespaces.full_speed(one))?;
            return Ok(Effect::seen(format!("{rate} bytes a second for {length:?}")));
        }
        let (links, others) = (&self.cluster.links, self.others(one));
        let set = |weather| {
            for other in &others {
                links.set(one, *other, weather);
                links.set(*other, one, weather);
            }
        };
        let passed = || {
            let both = |other: &usize| links.passed_bytes(one, *other) + links.passed_bytes(*other, one);
            others.iter().map(both).sum::<u64>()
        };
        let before = passed();
        set(Weather { cut: false, delay, bytes_per_sec });
        sleep(length).await;
        let slowly = passed() - before;
        set(Weather::default());
        ensure!(slowly > 0, "nothing was sent over the slow links");
        Ok(Effect::seen(format!("{slowly} bytes went slowly for {length:?}")))
    }
}
