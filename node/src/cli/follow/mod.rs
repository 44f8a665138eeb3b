//! `insighthub tail --file`: files that grow, into the cluster; each record once, whatever is killed and whatever becomes of
//! the files.

mod checkpoint;
mod print;
mod taking;
mod tracked;
mod watching;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Args;
use insighthub_model::clock::Clock;

use self::checkpoint::{Checkpoint, Pending};
use self::taking::Batch;
use self::watching::{Beginning, Watched};
use super::client::{Client, ConnectionArgs};
use super::error::CliError;
use super::files::delivery::{Patience, Receipt, deliver};
use super::files::form::Form;
use super::files::shaping::Shaper;
use super::files::shaping_args::{Rules, ShapingArgs};
use super::files::state_file::failure;
use super::terminal::note;
use crate::system_clock::SystemClock;

/// Between two looks at files that did not grow.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Between two looks for files that have come or gone.
const LOOK_FOR_FILES_EVERY: Duration = Duration::from_secs(1);
/// A batch is sent when it is as long as this, or when nothing more is there.
const BATCH_BYTES: usize = 1 << 20;

/// What is said of files that are followed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Following files")]
pub(crate) struct FollowArgs {
    /// Send what is appended to these files to the cluster, instead of showing what it stores: paths, or patterns that files
    /// may come to fit ('/var/log/app/*.log'). Rotation is followed, by rename and by copying and emptying.
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["words", "level"])]
    file: Vec<String>,

    /// Where is kept how far each file was sent; a file in ~/.local/state/insighthub if not given.
    #[arg(long, value_name = "FILE", requires = "file")]
    checkpoint: Option<PathBuf>,

    /// Of files that are there at the first start, leave out what they hold.
    #[arg(long, requires = "file")]
    from_end: bool,

    #[command(flatten)]
    shaping: ShapingArgs,
}

impl FollowArgs {
    pub(crate) fn is_wanted(&self) -> bool {
        !self.file.is_empty()
    }

    /// Fails where something is said of files and none is named.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        if self.is_wanted() || self.shaping.rules(None)?.are_none() {
            return Ok(());
        }
        Err(CliError::Argument("what is said of records is for files: name them with --file".to_owned()))
    }
}

struct Follower {
    client: Client,
    checkpoint: Checkpoint,
    watched: Watched,
    form: Form,
    shaper: Shaper,
    beginning: Beginning,
}

/// Follows until it is stopped.
pub(crate) async fn run(
    args: &FollowArgs,
    service: Option<String>,
    connection: &ConnectionArgs,
) -> Result<(), CliError> {
    let rules = args.shaping.rules(service)?;
    // Of lines that a pattern is given for, none is JSON.
    let form = if args.shaping.speaks_of_text() { Form::Text } else { Form::Mixed };
    let path = args.checkpoint.clone();
    let path = path.unwrap_or_else(|| checkpoint::default_path(&args.file, &connection.url));
    let (checkpoint, known) = Checkpoint::open(path, &options(&rules))?;
    let is_first = known.is_none();
    let beginning = if is_first && args.from_end { Beginning::AtEnd } else { Beginning::AtBeginning };
    let mut watched = Watched::new(args.file.clone(), known.unwrap_or_default());
    watched.find_again();
    let client = Client::new(connection)?;
    let shaper = Shaper::new(rules, SystemClock.now());
    let mut follower = Follower { client, checkpoint, watched, form, shaper, beginning };
    note(&format!("following; how far is kept in {}", follower.checkpoint.path().display()));
    if let Some(pending) = follower.checkpoint.pending()? {
        follower.send(pending, &Batch::default()).await?;
    }
    follower.follow().await
}

/// Where records would be made otherwise, what is under way must not be sent again under the same number.
fn options(rules: &Rules) -> String {
    rules.fingerprint("follow")
}

impl Follower {
    async fn follow(&mut self) -> Result<(), CliError> {
        let mut looked = None::<Instant>;
        loop {
            let now = Instant::now();
            if looked.is_none_or(|looked| now.duration_since(looked) >= LOOK_FOR_FILES_EVERY) {
                let is_first = looked.replace(now).is_none();
                self.watched.look_for_files(now, self.beginning)?;
                if std::mem::replace(&mut self.beginning, Beginning::AtBeginning) == Beginning::AtEnd
                    && is_first
                {
                    self.checkpoint.settle(&self.watched.files)?;
                }
            }
            let batch = self.gather(now)?;
            if batch.body.is_empty() {
                self.complain(&batch, None);
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            let body = Bytes::from(batch.body.clone());
            let pending = self.checkpoint.begin(body, &self.watched.files)?;
            self.send(pending, &batch).await?;
        }
    }

    /// What files have more than before.
    fn gather(&mut self, now: Instant) -> Result<Batch, CliError> {
        let mut batch = Batch::default();
        let mut number = 0;
        while number < self.watched.files.len() && batch.body.len() < BATCH_BYTES {
            let looked = self.watched.look_at_file(number, now);
            let Some(file) = self.watched.files.get_mut(number) else { break };
            let taken = looked.and_then(|()| {
                if file.is_copy {
                    Ok(())
                } else {
                    taking::take(number, file, (self.form, &self.shaper), now, &mut batch)
                }
            });
            taken.map_err(|error| failure(&file.path, &error))?;
            number += 1;
        }
        Ok(batch)
    }

    async fn send(&mut self, pending: Pending, batch: &Batch) -> Result<(), CliError> {
        let identity = (self.checkpoint.producer(), pending.sequence);
        let receipt: Receipt = deliver(&self.client, identity, pending.body, Patience::Endless).await?;
        self.complain(batch, Some(&receipt));
        self.checkpoint.settle(&self.watched.files)
    }

    /// Says what was not stored, with an example.
    fn complain(&self, batch: &Batch, receipt: Option<&Receipt>) {
        let path = |number: usize| self.watched.files.get(number).map(|file| file.path.display().to_string());
        for (number, line, reason) in &batch.refused {
            note(&format!("{}:{line}: {reason}", path(*number).unwrap_or_default()));
        }
        let Some(receipt) = receipt.filter(|receipt| receipt.rejected > 0) else { return };
        let rejected = receipt.rejected;
        let first = receipt.rejections.first().and_then(|first| {
            let at = usize::try_from(first.line).ok()?.checked_sub(1)?;
            let place = batch.origins.get(at).map(|(number, line)| (path(*number).unwrap_or_default(), line));
            let place = place.map_or_else(String::new, |(path, line)| format!("{path}:{line}: "));
            Some(format!("; the first: {place}{}", first.reason))
        });
        note(&format!("{rejected} records were rejected and are dead letters{}", first.unwrap_or_default()));
    }
}
