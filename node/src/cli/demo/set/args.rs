//! How a set is named on the command line: by its size, seed and end.

use clap::Args;
use insighthub_model::Timestamp;

use super::SetPlan;
use crate::cli::moment::{Moment, parse_moment};

/// The end of a set where none is named: fixed, so that a seed means the same bytes on every day.
const UNTIL_DEFAULT: Moment = Moment::At(Timestamp(1_769_817_600_000_000_000));

/// Options of a set.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Generated set")]
pub(crate) struct SetArgs {
    /// A set of exactly so many records of one day, instead of traffic as it happens.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub(crate) records: Option<u64>,

    /// Where the set or file ends: the same end, size and seed give the same bytes
    /// [default: 2026-01-31 for a set, now for a file].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_moment)]
    pub(crate) until: Option<Moment>,
}

impl SetArgs {
    pub(crate) fn plan(&self, records: u64, seed: u64, now: Timestamp) -> SetPlan {
        let until = self.until.unwrap_or(UNTIL_DEFAULT).resolve(now);
        SetPlan { records, seed, until: Timestamp::from_millis(until.millis()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_ends_where_it_always_ended() {
        let args = SetArgs { records: None, until: None };
        let until = args.plan(1, 1, Timestamp(0)).until;
        assert_eq!(until, Timestamp::parse("2026-01-31T00:00:00Z").unwrap());
    }
}
