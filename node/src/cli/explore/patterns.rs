//! `insighthub explore patterns`: what is logged, and what of it has changed.

use clap::Args;
use insighthub_model::Timestamp;
use insighthub_model::api::patterns::{Pattern, PatternChange, PatternDifference, Patterns};
use serde_json::json;

use super::{Question, levels, now, one_line, per_cent, print_objects, print_table, say_coverage};
use crate::cli::coverage::Noun;
use crate::cli::error::CliError;
use crate::cli::moment::{Moment, parse_moment};
use crate::cli::terminal::Terminal;

const NOUN: Noun = Noun { one: "pattern", many: "patterns" };

/// List the messages with their variable parts left out, most frequent first; or what has changed.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub explore patterns --service checkout --from -1d
  insighthub explore patterns --from -1h --against before       against the hour before
  insighthub explore patterns --from -1h --against -25h..-24h   against the same hour of yesterday
  insighthub explore patterns level:error --from 2025-12-02T10:00:00Z --to 2025-12-02T11:00:00Z \\
      --against 2025-12-02T08:00:00Z..2025-12-02T10:00:00Z      around a deploy; lengths may differ
Changes are ordered by surprise: 10.8 is met once in a thousand by chance.")]
pub(super) struct PatternsArgs {
    #[command(flatten)]
    question: Question,

    /// What has changed against this range: FROM..TO, or `before` for the time right before, as long. Needs --from.
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true, value_parser = parse_against, requires = "from")]
    against: Option<Against>,

    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Against {
    Before,
    Range(Moment, Moment),
}

fn parse_against(text: &str) -> Result<Against, String> {
    if text == "before" {
        return Ok(Against::Before);
    }
    let (from, to) = text.split_once("..").ok_or_else(|| {
        format!("{text:?} is no range: use before, -2h..-1h or 2025-12-02T08:00:00Z..2025-12-02T10:00:00Z")
    })?;
    Ok(Against::Range(parse_moment(from)?, parse_moment(to)?))
}

pub(super) async fn run(args: PatternsArgs) -> Result<(), CliError> {
    match args.against {
        None => frequent(&args).await,
        Some(against) => changes(&args, against, now()).await,
    }
}

async fn frequent(args: &PatternsArgs) -> Result<(), CliError> {
    let mut parameters = args.question.parameters(now());
    parameters.insert("limit".to_owned(), json!(args.limit));
    let answer: Patterns = args.question.ask("/api/query/patterns", parameters).await?;
    let mut terminal = Terminal::stdout();
    if terminal.shows_text(args.question.answer.output) {
        let row = |of: &Pattern| {
            let last_seen = of.last_seen.to_string();
            vec![
                of.count.to_string(),
                per_cent(of.share),
                last_seen,
                levels(&of.levels),
                one_line(&of.pattern),
            ]
        };
        let rows = answer.patterns.iter().map(row).collect();
        print_table(&mut terminal, &["LOGS", "SHARE", "LAST SEEN", "LEVELS", "PATTERN"], rows)?;
    } else {
        print_objects(&mut terminal, &answer.patterns)?;
    }
    say_coverage(answer.patterns.len(), NOUN, answer.coverage, answer.stats);
    Ok(())
}

async fn changes(args: &PatternsArgs, against: Against, now: Timestamp) -> Result<(), CliError> {
    let mut parameters = args.question.parameters(now);
    parameters.insert("limit".to_owned(), json!(args.limit));
    if let Against::Range(from, to) = against {
        parameters.insert("against_from".to_owned(), json!(from.resolve(now).to_string()));
        parameters.insert("against_to".to_owned(), json!(to.resolve(now).to_string()));
    }
    let answer: PatternDifference = args.question.ask("/api/query/patterns/difference", parameters).await?;
    let mut terminal = Terminal::stdout();
    if terminal.shows_text(args.question.answer.output) {
        let rows = answer.patterns.iter().map(change_row).collect();
        let head = ["SURPRISE", "CHANGE", "LOGS", "BEFORE", "RATE", "LEVELS", "PATTERN"];
        print_table(&mut terminal, &head, rows)?;
    } else {
        print_objects(&mut terminal, &answer.patterns)?;
    }
    say_coverage(answer.patterns.len(), NOUN, answer.coverage, answer.stats);
    Ok(())
}

fn change_row(of: &PatternChange) -> Vec<String> {
    vec![
        format!("{:.1}", of.surprise),
        format!("{:?}", of.change).to_lowercase(),
        of.count.to_string(),
        of.count_against.to_string(),
        of.times.map_or_else(String::new, |times| format!("x {times:.2}")),
        levels(&of.levels),
        one_line(&of.pattern),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_other_texts_refused_with_examples() {
        assert_eq!(parse_against("before"), Ok(Against::Before));
        let now = Timestamp::parse("2025-12-02T10:00:00Z").unwrap();
        let Ok(Against::Range(from, to)) = parse_against("-2h..2025-12-02T09:30:00Z") else {
            panic!("no range")
        };
        assert_eq!(from.resolve(now).to_string(), "2025-12-02T08:00:00.000Z");
        assert_eq!(to.resolve(now).to_string(), "2025-12-02T09:30:00.000Z");
        for text in ["", "-1h", "yesterday", "a..b"] {
            assert!(parse_against(text).unwrap_err().contains("use "), "{text}");
        }
    }
}
