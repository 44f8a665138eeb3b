//! The client's clock: the one place of the command line that asks for the time.

use insighthub_model::Timestamp;
use insighthub_model::clock::Clock;
use time::OffsetDateTime;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        // Beyond the year 2262 a timestamp has no name; the last one is as wrong as any other.
        i64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos()).map_or(Timestamp::MAX, Timestamp)
    }
}
