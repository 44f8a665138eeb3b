//! `insighthub query`: searches stored logs.

use clap::Args;
use insighthub_model::Timestamp;
use insighthub_model::api::logs::LogsPage;
use insighthub_model::clock::Clock;
use insighthub_model::limits::PAGE_RECORDS_MAX;
use insighthub_model::query::{self, Expression};
use serde_json::value::RawValue;

use super::asking::{AnswerArgs, FilterArgs, RangeArgs};
use super::client::Client;
use super::coverage::Coverage;
use super::error::CliError;
use super::record_line::print_record;
use super::table_answer::{self, Question};
use super::terminal::{Terminal, note};
use crate::system_clock::SystemClock;

/// Search stored logs, newest first, or make tables of them.
///
/// Words and "quoted phrases" search the message, in any case; `field:value` searches a field,
/// `field:>500` compares; `-word` leaves out; AND, OR, NOT and parentheses combine. Behind a pipe stand stages
/// that count, sort and group: stats, where, sort, limit, top, uniq, fields, patterns, sample, context.
/// Records go to stdout: aligned lines in UTC on a terminal, one JSON object a line on a pipe.
/// What the answer rests on goes to stderr.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub query timeout                                      the last 100 with this word
  insighthub query '\"connection refused\" -level:DEBUG' --from -2h
  insighthub query 'userId:1932 AND latency_ms:>500' --service checkout
  insighthub query --level ERROR --from 2025-12-02T10:00:00Z --to 2025-12-02T11:00:00Z
  insighthub query stripe --from -1d --all | jq -r .trace_id | sort | uniq -c
  insighthub query 'level:error | stats count() as n, p95(latency_ms) by service | sort n desc' --from -1h
  insighthub query '* | patterns 20' --service checkout
  insighthub query 'timeout | stats count() by service' --from -1d --explain
A query that begins with a minus sign goes after two of them: insighthub query -- -level:INFO")]
pub struct QueryArgs {
    #[command(flatten)]
    filter: FilterArgs,

    #[command(flatten)]
    range: RangeArgs,

    /// At most this many records.
    #[arg(long, value_name = "N", default_value_t = 100, conflicts_with = "all")]
    limit: usize,

    /// Every record that matches, page by page.
    #[arg(long)]
    all: bool,

    /// Show how the query was answered instead of what it found: what was passed over, what was read, and how long
    /// each step took, by partition.
    #[arg(long, conflicts_with = "all")]
    explain: bool,

    #[command(flatten)]
    answer: AnswerArgs,
}

impl QueryArgs {
    /// The query, if it has stages or is to be explained.
    fn question(&self, now: Timestamp) -> Result<Option<Question>, CliError> {
        let text = self.filter.query();
        let query = query::parse(&text).map_err(|error| {
            CliError::Argument(format!("the query cannot be read:\n{}", error.with_caret(&text)))
        })?;
        if query.stages.is_empty() && !self.explain {
            return Ok(None);
        }
        let beside = self.filter.beside_query();
        let conditions = beside.map(|(name, value)| Expression::field_is(name, &value)).collect();
        let [from, to] = self.range.ends(now);
        let limit = query.stages.is_empty().then_some(self.limit);
        Ok(Some(Question { query, conditions, from, to, limit, explain: self.explain }))
    }

    fn parameters(&self, now: Timestamp) -> Vec<(&'static str, String)> {
        self.filter.parameters("q").chain(self.range.parameters(now)).collect()
    }
}

pub(crate) async fn run(args: QueryArgs) -> Result<(), CliError> {
    let client = Client::new(&args.answer.connection)?;
    let mut terminal = Terminal::stdout();
    let as_text = terminal.shows_text(args.answer.output);
    if let Some(question) = args.question(SystemClock.now())? {
        return table_answer::run(&client, &mut terminal, question, as_text).await;
    }
    let fixed = args.parameters(SystemClock.now());
    let mut left = if args.all { usize::MAX } else { args.limit };
    let (mut shown, mut coverage, mut cursor) = (0u64, Coverage::default(), None::<String>);
    loop {
        let mut parameters = fixed.clone();
        parameters.push(("limit", left.clamp(1, PAGE_RECORDS_MAX).to_string()));
        parameters.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let page: LogsPage<Box<RawValue>> = client.get("/api/logs", &parameters).await?;
        for record in page.records.iter().take(left) {
            print_record(&mut terminal, record.get(), as_text)?;
        }
        terminal.flush()?;
        let printed = page.records.len().min(left);
        left -= printed;
        shown += printed as u64;
        coverage.add(&page.coverage.into());
        cursor = page.next_cursor;
        if left == 0 || cursor.is_none() {
            break;
        }
    }
    note(&coverage.sentence(shown, cursor.is_some()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: QueryArgs,
    }

    #[test]
    fn arguments_become_the_parameters_of_the_request() {
        let line =
            ["query", "stripe", "timeout", "--level", "error", "--from", "-1h", "--service", "checkout"];
        let args = Line::parse_from(line).args;
        let now = Timestamp::parse("2025-12-02T10:00:00Z").unwrap();
        let expected = [
            ("q", "stripe timeout".to_owned()),
            ("service", "checkout".to_owned()),
            ("level", "ERROR".to_owned()),
            ("from", "2025-12-02T09:00:00.000Z".to_owned()),
        ];
        assert_eq!(args.parameters(now), expected);
    }
}
