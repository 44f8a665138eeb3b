//! What every command that reads logs takes: which are meant, of which time, who is asked and how the answer is printed.

use clap::Args;
use insighthub_model::{Level, Timestamp};

use super::client::ConnectionArgs;
use super::moment::{Moment, parse_moment};
use super::terminal::OutputFormat;

/// Which logs are meant.
#[derive(Debug, Args)]
pub(crate) struct FilterArgs {
    /// Which logs are meant, in the query language; nothing means all.
    #[arg(value_name = "QUERY")]
    words: Vec<String>,

    /// Only this service.
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,

    /// Only this level: TRACE, DEBUG, INFO, WARN, ERROR or FATAL.
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,
}

impl FilterArgs {
    /// The query as it was typed.
    pub(crate) fn query(&self) -> String {
        self.words.join(" ")
    }

    /// The service, where one is named.
    pub(crate) fn service(&self) -> Option<String> {
        self.service.clone()
    }

    /// What is said beside the query, as parameters of a request.
    pub(crate) fn beside_query(&self) -> impl Iterator<Item = (&'static str, String)> {
        let service = self.service.clone().map(|service| ("service", service));
        service.into_iter().chain(self.level.map(|level| ("level", level.name().to_owned())))
    }

    /// All as parameters of a request, in which the query has this name.
    pub(crate) fn parameters(
        &self,
        query_name: &'static str,
    ) -> impl Iterator<Item = (&'static str, String)> {
        let query = Some(self.query()).filter(|query| !query.trim().is_empty());
        query.map(|query| (query_name, query)).into_iter().chain(self.beside_query())
    }
}

/// Of which time.
#[derive(Debug, Args)]
pub(crate) struct RangeArgs {
    /// From this time on: -15m, -1h, -2d, 2025-12-02 or RFC 3339.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_moment)]
    from: Option<Moment>,

    /// Up to this time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_moment)]
    to: Option<Moment>,
}

impl RangeArgs {
    /// Its ends as a request names them, both seen from one moment.
    pub(crate) fn ends(&self, now: Timestamp) -> [Option<String>; 2] {
        [self.from, self.to].map(|moment| moment.map(|moment| moment.resolve(now).to_string()))
    }

    /// The same as parameters of a request.
    pub(crate) fn parameters(&self, now: Timestamp) -> impl Iterator<Item = (&'static str, String)> {
        let named = ["from", "to"].into_iter().zip(self.ends(now));
        named.filter_map(|(name, end)| Some((name, end?)))
    }
}

/// Who is asked, and how the answer is printed.
#[derive(Debug, Args)]
pub(crate) struct AnswerArgs {
    /// How the answer is printed.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) output: OutputFormat,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}
