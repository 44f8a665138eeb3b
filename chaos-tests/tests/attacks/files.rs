//! What a node writes is for its user alone, wherever it writes.

use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::cluster::command_line::insighthub;
use serde_json::json;

use crate::backups;
use crate::target::{Target, everything_below};

pub(crate) async fn attack(target: &Target) -> Result<usize> {
    let rule = json!({"rules": []});
    drop(target.admin.put_json("/api/settings/retention", &rule).await?);
    let backup = backups::taken(target)?;
    let restored = target.directory.path().join("restored");
    let (from, data) = (backup.to_string_lossy(), restored.to_string_lossy());
    insighthub(&["restore", "--from", &from, "--data", &data], &[])?.accepted()?;
    let mut count = 0;
    for root in [target.directory.path().join("data"), backup.clone(), restored.clone()] {
        let all = everything_below(&root)?;
        ensure!(all.len() > 5, "only {} files below {}", all.len(), root.display());
        for path in all {
            let mode = std::fs::symlink_metadata(&path)
                .with_context(|| path.display().to_string())?
                .permissions()
                .mode();
            ensure!(mode & 0o077 == 0, "{} has mode {:o}", path.display(), mode & 0o7777);
            count += 1;
        }
    }
    Ok(count)
}
