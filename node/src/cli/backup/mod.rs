//! `insighthub backup` and `insighthub restore`.

mod fetching;

use std::path::PathBuf;

use clap::Args;

use super::client::ConnectionArgs;
use super::error::CliError;
use super::serve_args::ServeArgs;
use super::terminal::{Terminal, note};
use crate::backup::{BackupFault, Contents, Folder, Manifest, Target, restore as restore_contents};
use crate::boot::Plan;
use crate::private::write_for_the_owner_only;

/// Copy a running cluster into a folder, or check such a copy.
///
/// Everything acknowledged before the command began is in it: records, refused records, users, tokens and
/// settings. A folder that holds an earlier backup of the cluster gets only what it lacks; one that was broken off is
/// continued. Needs an admin: --user and --password, or INSIGHTHUB_USER and INSIGHTHUB_PASSWORD.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub backup --to /backup/monday
  insighthub backup --to /backup/monday --url http://n1:8000,http://n2:8000
  insighthub backup --verify /backup/monday")]
pub struct BackupArgs {
    /// The folder; made if it is not there. What is in it can be read by its owner only: protect copies of it.
    #[arg(long, value_name = "DIR", required_unless_present = "verify", conflicts_with = "verify")]
    to: Option<PathBuf>,

    /// Read a backup whole and compare it with its checksums; needs no node.
    #[arg(long, value_name = "DIR")]
    verify: Option<PathBuf>,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Make the data directory of the first node of a new cluster from a backup.
///
/// The cluster gets an id of its own and may have another number of nodes than the one the backup was taken from; the
/// number of partitions stays. Start the node, then the others with empty data directories: they get their
/// replicas from it.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub restore --from /backup/monday --data data
  insighthub restore --from /backup/monday --config cluster.toml --node n1 --data /var/lib/insighthub")]
pub struct RestoreArgs {
    /// The folder that `insighthub backup --to` wrote.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,

    /// The new cluster's configuration.
    #[arg(long, value_name = "FILE", env = "INSIGHTHUB_CONFIG")]
    config: Option<PathBuf>,

    /// The configuration's first node; not needed where it names only one.
    #[arg(long, value_name = "NAME", env = "INSIGHTHUB_NODE")]
    node: Option<String>,

    /// The directory to fill: empty or not there [default: data].
    #[arg(long, value_name = "DIR", env = "INSIGHTHUB_DATA")]
    data: Option<PathBuf>,
}

pub(crate) async fn run(args: BackupArgs) -> Result<(), CliError> {
    write_for_the_owner_only();
    match (args.to, args.verify) {
        (Some(to), _) => fetching::run(&to, &args.connection).await,
        (None, Some(folder)) => {
            let contents = on_a_thread(move || {
                let contents = Contents::open(Folder::open(&folder))?;
                contents.verify()?;
                Ok(contents)
            });
            say(&format!("The backup is whole: {}.", summary(&contents.await?.manifest)))
        }
        (None, None) => Err(CliError::Argument("name a folder with --to or --verify".to_owned())),
    }
}

pub(crate) async fn restore(args: RestoreArgs) -> Result<(), CliError> {
    write_for_the_owner_only();
    let RestoreArgs { from, config, node, data } = args;
    let serve = ServeArgs { dev: false, config, node, data, http: None };
    let (manifest, place) = on_a_thread(move || {
        let plan = Plan::new(&serve).map_err(|error| BackupFault::Restore(format!("{error:#}")))?;
        let contents = Contents::open(Folder::open(&from))?;
        let partitions = contents.manifest.partitions.len();
        restore_contents(&contents, &Target { plan: &plan }, |partition, blocks| {
            note(&format!("partition {} of {partitions}: {blocks} blocks", partition.0 + 1));
        })?;
        Ok((contents.manifest, plan.data))
    })
    .await?;
    say(&format!(
        "Restored into {}: {}. Start this node, then the others with empty data directories.",
        place.display(),
        summary(&manifest)
    ))
}

fn summary(manifest: &Manifest) -> String {
    format!(
        "cluster {}, {}, {} records in {} partitions, {} users, {} tokens, {} bytes",
        manifest.cluster_id,
        manifest.begun_at,
        manifest.records(),
        manifest.partitions.len(),
        manifest.users,
        manifest.tokens,
        manifest.bytes()
    )
}

fn say(line: &str) -> Result<(), CliError> {
    let mut terminal = Terminal::stdout();
    terminal.line(line)?;
    terminal.flush()
}

/// Reading, hashing and checking take long.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupFault> + Send + 'static,
) -> Result<T, CliError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| CliError::Runtime(error.into()))??)
}
