//! `insighthub anomalies settings`: what detectors are told.

use clap::Args;
use insighthub_model::detection::DetectionSettings;

use crate::cli::client::{Client, ConnectionArgs};
use crate::cli::error::CliError;
use crate::cli::terminal::{Terminal, note};

const PATH: &str = "/api/settings/detection";

/// Show what detectors are told, and change it.
///
/// A mask is a regular expression whose matches are variable parts of messages, beside what is known to be variable anyway
/// (numbers, times, addresses, ids). Changing needs an admin.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub anomalies settings
  insighthub anomalies settings --alerts-per-day 0.5
  insighthub anomalies settings --add-mask 'tenant=\\S+' --remove-mask 'order [A-Z]+'")]
pub(super) struct SettingsArgs {
    /// Alerts a service may raise a day on the average.
    #[arg(long, value_name = "N")]
    alerts_per_day: Option<f64>,
    /// One more mask; may be repeated.
    #[arg(long, value_name = "REGEX")]
    add_mask: Vec<String>,
    /// A mask that is there no longer, as it was written; may be repeated.
    #[arg(long, value_name = "REGEX")]
    remove_mask: Vec<String>,

    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(super) async fn run(args: SettingsArgs) -> Result<(), CliError> {
    let client = Client::new(&args.connection)?;
    let known: DetectionSettings = client.get(PATH, &[]).await?;
    let unknown = args.remove_mask.iter().find(|mask| !known.masks.contains(mask));
    if let Some(unknown) = unknown {
        return Err(CliError::Check(format!("there is no mask {unknown:?} to remove")));
    }
    let wanted = changed(&known, &args);
    if wanted == known {
        return show(&known);
    }
    let body = serde_json::to_value(&wanted).unwrap_or_default();
    show(&client.put(PATH, &body).await?)?;
    note("Detectors heed it within ten seconds.");
    Ok(())
}

fn changed(known: &DetectionSettings, args: &SettingsArgs) -> DetectionSettings {
    let mut settings = known.clone();
    settings.masks.retain(|mask| !args.remove_mask.contains(mask));
    for mask in &args.add_mask {
        if !settings.masks.contains(mask) {
            settings.masks.push(mask.clone());
        }
    }
    settings.alerts_per_day = args.alerts_per_day.unwrap_or(settings.alerts_per_day);
    settings
}

fn show(settings: &DetectionSettings) -> Result<(), CliError> {
    let mut terminal = Terminal::stdout();
    terminal.line(&format!("alerts a service may raise a day: {}", settings.alerts_per_day))?;
    match settings.masks.as_slice() {
        [] => terminal.line("masks: none of your own")?,
        masks => {
            terminal.line("masks:")?;
            for mask in masks {
                terminal.line(&format!("  {mask}"))?;
            }
        }
    }
    terminal.flush()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: SettingsArgs,
    }

    #[test]
    fn what_is_not_named_stays() {
        let known =
            DetectionSettings { revision: 4, masks: vec!["a+".into(), "b+".into()], alerts_per_day: 0.3 };
        let after = |words: &[&str]| {
            let line = Line::parse_from([&["settings"], words].concat());
            changed(&known, &line.args)
        };
        assert_eq!(after(&[]), known);
        assert_eq!(after(&["--add-mask", "b+"]), known);
        let both = after(&["--remove-mask", "a+", "--add-mask", "c+", "--alerts-per-day", "1"]);
        let expected =
            DetectionSettings { masks: vec!["b+".into(), "c+".into()], alerts_per_day: 1.0, ..known };
        assert_eq!(both, expected);
    }
}
