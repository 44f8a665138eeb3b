//! Which node is asked: one that runs, or one of the benchmark's own on kept or passing data.

use std::path::{Path, PathBuf};

use super::own_node::OwnNode;
use crate::cli::client::ConnectionArgs;
use crate::cli::error::CliError;

/// The node of a benchmark and how to reach it.
#[derive(Debug)]
pub(super) struct Place {
    connection: ConnectionArgs,
    /// Dropped before the directory is removed.
    own: Option<OwnNode>,
    /// Held for its end.
    _scratch: Option<ScratchDirectory>,
}

impl Place {
    pub(super) async fn open(
        connection: &ConnectionArgs,
        data: Option<&Path>,
        spawn: bool,
    ) -> Result<Place, CliError> {
        let scratch = if spawn { Some(ScratchDirectory::new()?) } else { None };
        let Some(data) = data.or(scratch.as_ref().map(|scratch| scratch.0.as_path())) else {
            return Ok(Place { connection: connection.clone(), own: None, _scratch: None });
        };
        let own = OwnNode::start(data).await?;
        Ok(Place { connection: own.connection(), own: Some(own), _scratch: scratch })
    }

    pub(super) fn connection(&self) -> &ConnectionArgs {
        &self.connection
    }

    pub(super) fn own(&self) -> Option<&OwnNode> {
        self.own.as_ref()
    }

    /// Stops the node and starts it again, where it is the benchmark's own.
    pub(super) async fn restart(mut self) -> Result<Place, CliError> {
        if let Some(own) = self.own.take() {
            let data = own.stop().await?;
            let own = OwnNode::start(&data).await?;
            (self.connection, self.own) = (own.connection(), Some(own));
        }
        Ok(self)
    }

    /// Stops the node, where it is the benchmark's own.
    pub(super) async fn close(mut self) -> Result<(), CliError> {
        match self.own.take() {
            Some(own) => own.stop().await.map(drop),
            None => Ok(()),
        }
    }
}

/// A directory that goes when this goes.
#[derive(Debug)]
struct ScratchDirectory(PathBuf);

impl ScratchDirectory {
    fn new() -> Result<ScratchDirectory, CliError> {
        let path = std::env::temp_dir().join(format!("insighthub-bench-{}", std::process::id()));
        // One that is there is somebody else's: it must not be taken, nor removed.
        std::fs::create_dir(&path).map_err(CliError::Runtime)?;
        Ok(ScratchDirectory(path))
    }
}

impl Drop for ScratchDirectory {
    fn drop(&mut self) {
        // What cannot be removed stays in the system's directory for temporary files.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
