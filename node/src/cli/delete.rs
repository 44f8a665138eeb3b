//! `insighthub delete`: takes out of the store what must not be in it.

use clap::Args;
use insighthub_model::api::deletions::{Begun, Counted};
use insighthub_model::clock::Clock;
use serde_json::{Value, json};

use super::client::{Client, ConnectionArgs};
use super::error::CliError;
use super::moment::{Moment, parse_moment};
use super::terminal::{Terminal, neutralise, note, table};
use crate::system_clock::SystemClock;

/// Delete logs by query, for good, or list who deleted what.
///
/// Without --yes it only counts what would go. What matches and was stored before the command returns is never
/// shown again; its bytes leave the disk as blocks are rewritten, which --list shows. Every deletion is kept on
/// record with its user, query and reason. Needs an admin.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub delete 'userId:1932' --reason 'erasure request 4711'
  insighthub delete 'userId:1932' --reason 'erasure request 4711' --yes
  insighthub delete '\"card number\"' --from -2d --to -1d --reason 'leaked by release 1.4' --yes
  insighthub delete --list")]
pub struct DeleteArgs {
    /// What to delete, in the query language; * means everything.
    #[arg(value_name = "QUERY", required_unless_present = "list")]
    words: Vec<String>,

    /// From this time on: -15m, -1h, -2d, 2025-12-02 or RFC 3339.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_moment)]
    from: Option<Moment>,

    /// Up to this time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_moment)]
    to: Option<Moment>,

    /// Why; kept on record.
    #[arg(long, value_name = "TEXT", required_unless_present = "list")]
    reason: Option<String>,

    /// Delete, and do not only count.
    #[arg(long)]
    yes: bool,

    /// Show past deletions and how far they are.
    #[arg(long, conflicts_with_all = ["words", "reason", "yes"])]
    list: bool,

    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) async fn run(args: DeleteArgs) -> Result<(), CliError> {
    let client = Client::new(&args.connection)?;
    if args.list {
        return list(&client.get("/api/admin/deletions", &[]).await?);
    }
    let now = SystemClock.now();
    let moment = |moment: Option<Moment>| moment.map(|moment| moment.resolve(now).to_string());
    let mut body = json!({
        "query": args.words.join(" "),
        "from": moment(args.from),
        "to": moment(args.to),
        "reason": args.reason,
        "dry_run": true,
    });
    let Counted { matched_records, .. } = client.post("/api/admin/delete", &body).await?;
    if !args.yes {
        note(&format!("{matched_records} records match. Give --yes to delete them."));
        return Ok(());
    }
    if let Some(fields) = body.as_object_mut() {
        fields.remove("dry_run");
    }
    let begun: Begun = client.post("/api/admin/delete", &body).await?;
    note(&format!(
        "Deletion {} of {matched_records} records: they are hidden from here on, and leave the disk now.",
        begun.id
    ));
    if !begun.partitions_not_reached.is_empty() {
        let partitions = begun.partitions_not_reached;
        note(&format!("Partitions {partitions:?} had no leader and follow: see `insighthub delete --list`."));
    }
    Ok(())
}

fn list(answer: &Value) -> Result<(), CliError> {
    let deletions = answer.get("deletions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let columns = ["id", "asked_at", "user", "state", "partitions_done", "erased", "query", "reason"];
    let mut rows = vec![columns.map(str::to_owned).to_vec()];
    for deletion in deletions {
        let cell = |column| match deletion.get(column) {
            Some(Value::String(text)) => neutralise(text).replace('\n', " "),
            Some(other) => other.to_string(),
            None => "-".to_owned(),
        };
        rows.push(columns.map(cell).to_vec());
    }
    let mut terminal = Terminal::stdout();
    for line in table(&rows) {
        terminal.line(&line)?;
    }
    terminal.flush()
}
