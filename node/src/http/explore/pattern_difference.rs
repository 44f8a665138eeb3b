//! `/api/query/patterns/difference`: which messages are new, gone, more or fewer than in another range of time.

use axum::extract::State;
use insighthub_model::Timestamp;
use insighthub_model::api::answer::TimeRange;
use insighthub_model::api::patterns::PatternDifference;
use insighthub_model::limits::PATTERNS_LISTED_MAX;
use insighthub_storage::query::Conditions;
use insighthub_storage::query::exploring::{Wanted, pattern_changes};

use super::super::caller::Viewer;
use super::{ApiError, AppState, Asked, Exploration};
use crate::http::document::parameters;
use crate::http::extract::Json;

const CHANGES_DEFAULT: usize = 50;

/// Which messages are new, gone, more or fewer than in another range of time.
#[utoipa::path(
    method(get, post), path = "/api/query/patterns/difference",
    params(
        parameters::ExplorerParameters, parameters::FilterParameters, parameters::RangeParameters,
        parameters::PatternsParameters, parameters::AgainstParameters, parameters::FieldConditions
    ),
    responses((status = 200, body = PatternDifference), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!(true))),
)]
pub(super) async fn answer(
    State(node): State<AppState>,
    _viewer: Viewer,
    mut asked: Asked,
) -> Result<Json<PatternDifference>, ApiError> {
    let mut exploration = Exploration::begin(node, &mut asked)?;
    let rows = asked.parameters.take_number("limit", CHANGES_DEFAULT, PATTERNS_LISTED_MAX)?;
    let against = (asked.parameters.take_time("against_from")?, asked.parameters.take_time("against_to")?);
    let conditions = asked.into_conditions(exploration.now())?;
    let range = range_of(&conditions, exploration.now())?;
    let against = range_against(against, range)?;
    let of = |range: TimeRange| Conditions {
        from: Some(range.from),
        to: Some(Timestamp(range.to.0.saturating_add(1))),
        ..conditions.clone()
    };
    let wanted = Wanted { patterns: true, ..Wanted::default() };
    let (here, there) = (of(range), of(against));
    let (now, before) =
        tokio::try_join!(exploration.ask(&here, wanted.clone()), exploration.ask(&there, wanted.clone()))?;
    let (now, before) = (exploration.take(now), exploration.take(before));
    let (patterns, patterns_total) =
        pattern_changes((&now.patterns, range.secs()), (&before.patterns, against.secs()), rows);
    Ok(Json(PatternDifference {
        range,
        against,
        patterns,
        patterns_total,
        coverage: exploration.coverage(),
        stats: exploration.stats(now.records + before.records),
    }))
}

/// Rates need a range with both its ends; the last moment is now if nothing is said.
fn range_of(conditions: &Conditions, now: Timestamp) -> Result<TimeRange, ApiError> {
    let from = conditions.from.ok_or_else(|| {
        ApiError::bad_parameter("from", "from is missing: a difference needs a range, as from and to")
    })?;
    let to = conditions.to.map_or(now, |to| Timestamp(to.0.saturating_sub(1)));
    if from > to {
        return Err(ApiError::bad_parameter("from", "from lies after to"));
    }
    Ok(TimeRange { from, to })
}

/// The range as long as the other and right before it, if nothing is said.
fn range_against(
    asked: (Option<Timestamp>, Option<Timestamp>),
    range: TimeRange,
) -> Result<TimeRange, ApiError> {
    let missing = |name: &str| {
        let message = format!("{name} is missing: give both against_from and against_to, or neither");
        ApiError::bad_parameter(name, message)
    };
    match asked {
        (None, None) => {
            let length = range.to.0.saturating_sub(range.from.0);
            let to = Timestamp(range.from.0.saturating_sub(1));
            Ok(TimeRange { from: Timestamp(to.0.saturating_sub(length)), to })
        }
        (None, Some(_)) => Err(missing("against_from")),
        (Some(_), None) => Err(missing("against_to")),
        (Some(from), Some(to)) if from > to => {
            Err(ApiError::bad_parameter("against_from", "against_from lies after against_to"))
        }
        (Some(from), Some(to)) => Ok(TimeRange { from, to }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_means_the_range_before() {
        let range = TimeRange { from: Timestamp(1_000), to: Timestamp(1_999) };
        let against = range_against((None, None), range).unwrap();
        assert_eq!(against, TimeRange { from: Timestamp(0), to: Timestamp(999) });
        assert_eq!(against.secs(), range.secs());
    }

    #[test]
    fn half_a_range_is_refused_with_the_half_that_is_missing() {
        let range = TimeRange { from: Timestamp(1_000), to: Timestamp(1_999) };
        let field = |asked| range_against(asked, range).unwrap_err().field.unwrap();
        assert_eq!(field((None, Some(Timestamp(5)))), "against_from");
        assert_eq!(field((Some(Timestamp(5)), None)), "against_to");
        assert_eq!(field((Some(Timestamp(5)), Some(Timestamp(4)))), "against_from");
        let error = range_of(&Conditions::default(), Timestamp(0)).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("from"));
    }
}
