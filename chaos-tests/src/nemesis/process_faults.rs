//! Faults of processes: killed, paused, stopped and started in turn.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::sleep;

use super::{Effect, Nemesis};

/// A stopped process may still be in its last system call.
const STOPPED_WITHIN: Duration = Duration::from_secs(1);
/// SIGTERM lets a node hand over and flush.
const GRACE: Duration = Duration::from_secs(30);
const READY_WITHIN: Duration = Duration::from_secs(60);
/// SIGKILL.
const KILLED: i32 = 9;

impl Nemesis {
    pub(super) async fn kill(&self, targets: &[usize], down: Duration) -> Result<Effect> {
        let mut proven = Ok(());
        for target in targets {
            let node = self.cluster.node(*target)?;
            node.kill().await?;
            let ended = node.ended().await?;
            if ended.and_then(|status| status.signal()) != Some(KILLED) {
                proven = Err(anyhow::anyhow!("{} ended otherwise: {ended:?}", node.name));
            }
        }
        sleep(down).await;
        self.launch_all(targets).await?;
        proven.map(|()| Effect::seen(format!("down for {down:?}")))
    }

    pub(super) async fn pause(&self, target: usize, length: Duration) -> Result<Effect> {
        let node = self.cluster.node(target)?;
        let process = node.process_id().await?;
        node.pause().await?;
        let is_stopped = || async { state(process).is_ok_and(|state| state == 'T') };
        let stopped = crate::deadline::wait_until("the process is stopped", STOPPED_WITHIN, is_stopped).await;
        sleep(length).await;
        let still = state(process);
        node.resume().await?;
        stopped?;
        ensure!(still? == 'T', "somebody continued the process");
        Ok(Effect::seen(format!("stopped for {length:?}")))
    }

    pub(super) async fn restart_in_turn(&self, targets: &[usize]) -> Result<Effect> {
        let mut effect = Effect::seen(format!("{} nodes in turn", targets.len()));
        for target in targets {
            let node = self.cluster.node(*target)?;
            match node.stop_gracefully(GRACE).await {
                Ok(status) if status.success() => {}
                Ok(status) => effect.violations.push(format!("{} ended with {status} at SIGTERM", node.name)),
                Err(error) => {
                    effect.violations.push(format!("{}: {error:#}", node.name));
                    node.kill().await?;
                }
            }
            node.launch().await?;
            node.wait_until_ready(READY_WITHIN).await?;
        }
        Ok(effect)
    }
}

/// The state letter of a process: `T` when stopped by a signal.
fn state(process: u32) -> Result<char> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name before it is in parentheses and may hold anything.
    let (_, rest) = stat.rsplit_once(')').context("a stat line without a name")?;
    rest.trim_start().chars().next().context("a stat line without a state")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_running_process_is_not_stopped() {
        assert!(matches!(state(std::process::id()).unwrap(), 'R' | 'S'));
        assert!(state(u32::MAX).is_err());
    }
}
