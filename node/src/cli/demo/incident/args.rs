//! How incidents are named on the command line: `KIND@TIME`.

use clap::Args;
use insighthub_model::Timestamp;

use super::{Incident, Incidents, Kind};
use crate::cli::error::CliError;
use crate::cli::moment::{Moment, parse_duration, parse_moment};

/// Options of incidents.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Incidents")]
pub(in crate::cli::demo) struct IncidentArgs {
    /// Let this go wrong at this time, and nothing else: KIND@TIME, several with commas between them.
    ///
    /// Kinds: latency-spike (search), latency-drift (inventory, over 45 minutes), error-burst (payment-service, with
    /// a message never seen before), traffic-drop (checkout), silence (auth), traffic-surge (auth), new-message
    /// (checkout), message-shift (inventory). Times: RFC 3339, or from now -5m, now, +3m; with --file from its end.
    #[arg(long = "incident", value_name = "KIND@TIME", value_delimiter = ',', value_parser = parse_named, conflicts_with = "records")]
    named: Vec<Named>,

    /// Let nothing go wrong: normal days with their deploys and nightly batches.
    #[arg(long, conflicts_with_all = ["records", "named"])]
    no_incidents: bool,
}

/// An incident as it was typed.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Named {
    kind: Kind,
    at: Moment,
}

fn parse_named(text: &str) -> Result<Named, String> {
    let (name, time) = text.split_once('@').ok_or_else(|| {
        format!("{text:?} is no incident: use KIND@TIME, such as latency-spike@+3m or silence@-5m")
    })?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        let names = Kind::ALL.map(Kind::name).join(", ");
        format!("{name:?} is no kind of incident: use {names}")
    })?;
    let at = match time.strip_prefix('+') {
        Some(length) => {
            let nanos = i64::try_from(parse_duration(length)?.as_nanos()).unwrap_or(i64::MAX);
            Moment::Ago(-nanos)
        }
        None => parse_moment(time)?,
    };
    Ok(Named { kind, at })
}

impl IncidentArgs {
    /// What goes wrong in traffic that begins at `start`; what was named relative to now is counted from `now`, and by
    /// chance things happen every few hours before it and about twice an hour after it.
    pub(in crate::cli::demo) fn incidents(
        &self,
        seed: u64,
        start: Timestamp,
        now: Timestamp,
    ) -> Result<Incidents, CliError> {
        if self.no_incidents {
            return Ok(Incidents::named(Vec::new()));
        }
        if self.named.is_empty() {
            return Ok(Incidents::by_chance(seed, start, now));
        }
        let incidents: Vec<Incident> =
            self.named.iter().map(|named| named.kind.at(named.at.resolve(now))).collect();
        if let Some(early) = incidents.iter().find(|incident| incident.start < start) {
            return Err(CliError::Argument(format!(
                "{} at {} lies before the traffic, which begins at {start}: use --backfill with a longer time",
                early.kind.name(),
                early.start
            )));
        }
        Ok(Incidents::named(incidents))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn kinds_and_times_are_read() {
        let now = at("2026-01-10T12:00:00Z");
        for (text, kind, expected) in [
            ("latency-spike@+3m", Kind::LatencySpike, "2026-01-10T12:03:00Z"),
            ("silence@-5m", Kind::Silence, "2026-01-10T11:55:00Z"),
            ("error-burst@2026-01-09T10:00:00Z", Kind::ErrorBurst, "2026-01-09T10:00:00Z"),
            ("new-message@now", Kind::NewMessage, "2026-01-10T12:00:00Z"),
        ] {
            let named = parse_named(text).unwrap();
            assert_eq!((named.kind, named.at.resolve(now)), (kind, at(expected)), "{text}");
        }
    }

    #[test]
    fn what_is_no_incident_is_refused_with_what_there_is() {
        for (text, hint) in [
            ("silence", "KIND@TIME"),
            ("fire@now", "latency-drift"),
            ("silence@soon", "2025-12-02T10:10:02Z"),
            ("silence@+x", "15m"),
        ] {
            let error = parse_named(text).unwrap_err();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn an_incident_before_the_traffic_is_refused() {
        let named = vec![parse_named("silence@-5m").unwrap()];
        let args = IncidentArgs { named, no_incidents: false };
        let now = at("2026-01-10T12:00:00Z");
        let error = args.incidents(1, now, now).unwrap_err().to_string();
        assert!(error.contains("--backfill"), "{error}");
        assert!(args.incidents(1, at("2026-01-10T11:00:00Z"), now).is_ok());
    }
}
