//! How a set is named on the command line: by its size, seed and end.

use clap::Args;
use insighthub_model::Timestamp;

use super::SetPlan;
use crate::cli::moment::{Moment, parse_moment};

/// The end of a set where none is named: fixed, so that a seed means the same bytes on every day.
const UNTIL_DEFAULT: &str = "2026-01-31";

/// Options of a set.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Generated set")]
pub(crate) struct SetArgs {
    /// A set of exactly so many records of one day, instead of traffic as it happens.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub(crate) records: Option<u64>,

    /// Where the day of the set ends: the same end, size and seed give the same bytes.
    #[arg(long, value_name = "TIME", default_value = UNTIL_DEFAULT, allow_hyphen_values = true, value_parser = parse_moment)]
    pub(crate) until: Moment,
}

impl SetArgs {
    pub(crate) fn plan(&self, records: u64, seed: u64, now: Timestamp) -> SetPlan {
        SetPlan { records, seed, until: Timestamp::from_millis(self.until.resolve(now).millis()) }
    }
}
