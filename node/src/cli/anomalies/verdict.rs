//! `insighthub anomalies verdict`: says what an incident was.

use clap::{Args, ValueEnum};
use insighthub_model::api::anomalies::SaidVerdict;
use insighthub_model::detection::{EpisodeId, Verdict};
use serde_json::json;

use crate::cli::client::{Client, ConnectionArgs};
use crate::cli::error::CliError;
use crate::cli::terminal::note;

/// Say that an incident was real, or a false alarm.
///
/// The last word counts; who said it and when is kept. The more is said, the better incidents are ranked. Needs an
/// admin.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub anomalies verdict 18a3f00c2b400000-0003-checkout real
  insighthub anomalies verdict 18a3f00c2b400000-0003-checkout false-alarm --user admin")]
pub(super) struct VerdictArgs {
    /// The incident, as `insighthub anomalies list` names it.
    #[arg(value_name = "ID")]
    id: EpisodeId,

    #[arg(value_enum, value_name = "VERDICT")]
    verdict: Word,

    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Word {
    /// Something was wrong.
    Real,
    FalseAlarm,
}

pub(super) async fn run(args: VerdictArgs) -> Result<(), CliError> {
    let verdict = match args.verdict {
        Word::Real => Verdict::Real,
        Word::FalseAlarm => Verdict::FalseAlarm,
    };
    let client = Client::new(&args.connection)?;
    let path = client.path(&["api", "anomalies", &args.id.to_string(), "verdict"])?;
    let said: SaidVerdict = client.post(&path, &json!({ "verdict": verdict })).await?;
    note(&format!("{} is {}, says {}", args.id, said.verdict.name(), said.user));
    Ok(())
}
