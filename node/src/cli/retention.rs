//! `insighthub retention`: how long logs are kept.

use clap::{Args, Subcommand};
use insighthub_model::retention::Retention;

use super::client::{Client, ConnectionArgs};
use super::error::CliError;
use super::terminal::{Terminal, note, table};

/// The word for no end.
const FOREVER: &str = "forever";

/// Show and set how long logs are kept.
///
/// Days count by the logs' own timestamps. What is older disappears from every answer within the hour, and from
/// the disk as blocks are rewritten. Setting needs an admin.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub retention show
  insighthub retention set --default 30
  insighthub retention set --service audit=forever --service debug=3
  insighthub retention set --unset debug")]
pub struct RetentionArgs {
    #[command(subcommand)]
    command: RetentionCommand,
}

#[derive(Debug, Subcommand)]
enum RetentionCommand {
    /// Show the settings.
    Show {
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Change settings; what is not named stays.
    Set {
        /// Days for services without their own, or "forever".
        #[arg(long, value_name = "DAYS", value_parser = parse_days)]
        default: Option<Days>,
        /// Days of one service, or "forever"; may be repeated.
        #[arg(long = "service", value_name = "SERVICE=DAYS", value_parser = parse_service)]
        services: Vec<(String, Days)>,
        /// A service that has the default's days again; may be repeated.
        #[arg(long, value_name = "SERVICE")]
        unset: Vec<String>,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Days(Option<u32>);

fn parse_days(text: &str) -> Result<Days, String> {
    if text == FOREVER {
        return Ok(Days(None));
    }
    let days = text.parse().ok().filter(|days| (1..=Retention::DAYS_MAX).contains(days));
    let problem = || format!("{text:?}: give 1 to {} days, or {FOREVER}", Retention::DAYS_MAX);
    days.map(|days| Days(Some(days))).ok_or_else(problem)
}

fn parse_service(text: &str) -> Result<(String, Days), String> {
    // The last one: a service's name may hold the sign.
    let (service, days) = text.rsplit_once('=').ok_or("give SERVICE=DAYS, as in debug=3")?;
    Ok((service.to_owned(), parse_days(days)?))
}

pub(crate) async fn run(args: RetentionArgs) -> Result<(), CliError> {
    match args.command {
        RetentionCommand::Show { connection } => {
            show(&Client::new(&connection)?.get("/api/settings/retention", &[]).await?)
        }
        RetentionCommand::Set { default, services, unset, connection } => {
            let client = Client::new(&connection)?;
            let mut retention: Retention = client.get("/api/settings/retention", &[]).await?;
            if let Some(Days(days)) = default {
                retention.default_days = days;
            }
            retention.services.retain(|service, _| !unset.contains(service));
            retention.services.extend(services.into_iter().map(|(service, Days(days))| (service, days)));
            let body = serde_json::to_value(&retention).unwrap_or_default();
            let retention: Retention = client.put("/api/settings/retention", &body).await?;
            show(&retention)?;
            note("What is older disappears within the hour.");
            Ok(())
        }
    }
}

fn show(retention: &Retention) -> Result<(), CliError> {
    let days = |days: Option<u32>| days.map_or_else(|| FOREVER.to_owned(), |days| format!("{days} days"));
    let mut rows = vec![vec!["service".to_owned(), "kept".to_owned()]];
    rows.push(vec!["(default)".to_owned(), days(retention.default_days)]);
    rows.extend(retention.services.iter().map(|(service, of)| vec![service.clone(), days(*of)]));
    let mut terminal = Terminal::stdout();
    for line in table(&rows) {
        terminal.line(&line)?;
    }
    terminal.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_with_their_service() {
        assert_eq!(parse_service("a=b=7"), Ok(("a=b".to_owned(), Days(Some(7)))));
        assert_eq!(parse_service("audit=forever"), Ok(("audit".to_owned(), Days(None))));
        assert!(
            ["audit", "audit=", "audit=0", "audit=-1", "audit=40000"]
                .iter()
                .all(|text| parse_service(text).is_err())
        );
    }
}
