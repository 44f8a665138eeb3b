//! The parameters of a question, in the address or in the form of a POST. What nobody knows is passed over, as Loki does.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, Method, StatusCode, header};
use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;

use super::super::{ApiError, AppState};
use super::error::LokiError;
use super::limits::LISTED_MAX;
use crate::http::extract::Query;
use crate::logql::ast::LogQuery;
use crate::logql::metric::{STEPS_MAX, Steps};
use crate::logql::{duration, parse_log};

const FORM: &str = "application/x-www-form-urlencoded";
/// How a client says that it tells labels of streams from those of lines.
const FLAGS: &str = "x-loki-response-encoding-flags";
pub(super) const CATEGORIZE: &str = "categorize-labels";
/// Where no start is given.
const HOUR: i64 = 3_600 * NANOS_PER_SEC;
/// Points of a chart whose step is left out.
const STEPS_DEFAULT: i64 = 250;

#[derive(Debug)]
pub(super) struct Asked {
    pairs: Vec<(String, String)>,
    /// Labels of streams and those of lines are to be told apart.
    pub(super) categorizes: bool,
}

/// From the first moment to before the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl FromRequest<AppState> for Asked {
    type Rejection = LokiError;

    async fn from_request(request: Request, node: &AppState) -> Result<Self, LokiError> {
        let (mut parts, body) = request.into_parts();
        let Query(mut pairs) = Query::<Vec<(String, String)>>::from_request_parts(&mut parts, node).await?;
        let categorizes = has_flag(&parts.headers);
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        match content_type.filter(|_| parts.method == Method::POST).map(|text| text.starts_with(FORM)) {
            None => {}
            Some(true) => {
                let request = Request::from_parts(parts, body);
                let Form(form) =
                    Form::<Vec<(String, String)>>::from_request(request, node).await.map_err(refused)?;
                pairs.extend(form);
            }
            Some(false) => {
                let message = format!("a body of these questions is a form: expected {FORM}");
                return Err(ApiError::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "unsupported_media_type",
                    message,
                )
                .into());
            }
        }
        Ok(Asked { pairs, categorizes })
    }
}

fn refused(refused: FormRejection) -> ApiError {
    ApiError::new(refused.status(), "broken_body", refused.body_text())
}

fn has_flag(headers: &HeaderMap) -> bool {
    let flags = headers.get_all(FLAGS).into_iter().filter_map(|value| value.to_str().ok());
    flags.flat_map(|flags| flags.split(',')).any(|flag| flag.trim() == CATEGORIZE)
}

impl Asked {
    /// An empty value counts as left out.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty())
    }

    pub(super) fn texts(&self, names: &[&str]) -> Vec<&str> {
        let found =
            self.pairs.iter().filter(|(known, value)| names.contains(&known.as_str()) && !value.is_empty());
        found.map(|(_, value)| value.as_str()).collect()
    }

    pub(super) fn query(&self) -> Result<&str, LokiError> {
        self.text("query").ok_or_else(|| LokiError::bad_query("query is missing: expected one in LogQL"))
    }

    /// Records: every one, where nothing is said.
    pub(super) fn records(&self, name: &str) -> Result<LogQuery, LokiError> {
        let text = self.text(name).unwrap_or("{}");
        parse_log(text).map_err(|error| LokiError::unread(&error, text))
    }

    pub(super) fn number(&self, name: &str, default: usize, max: usize) -> Result<usize, LokiError> {
        let Some(text) = self.text(name) else { return Ok(default) };
        match text.parse() {
            Ok(number) if (1..=max).contains(&number) => Ok(number),
            _ => {
                let message = format!("{name} is {text:?}: it must be a number from 1 to {max}");
                Err(ApiError::bad_parameter(name, message).into())
            }
        }
    }

    /// The number of things in an answer, which may be asked for above what there is.
    pub(super) fn rows(&self, default: usize) -> Result<usize, LokiError> {
        Ok(self.number("limit", default, usize::MAX)?.min(LISTED_MAX))
    }

    pub(super) fn moment(&self, name: &str) -> Result<Option<i64>, LokiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let moment = moment(text).ok_or_else(|| {
            let message =
                format!("{name} is {text:?}: expected nanoseconds or seconds since 1970, or RFC 3339");
            ApiError::bad_parameter(name, message)
        })?;
        Ok(Some(moment))
    }

    fn length(&self, name: &str) -> Result<Option<i64>, LokiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let secs =
            text.parse::<f64>().ok().filter(|secs| secs.abs() < 9e9).map(|secs| (secs * 1e9).round() as i64);
        let nanos = secs.or_else(|| duration(text)).filter(|nanos| *nanos > 0);
        let nanos = nanos.ok_or_else(|| {
            let message = format!("{name} is {text:?}: expected seconds, or a length of time as 30s or 5m");
            ApiError::bad_parameter(name, message)
        })?;
        Ok(Some(nanos))
    }

    /// `start` and `end`, or `since`; the last hour where nothing is said.
    pub(super) fn span(&self, now: Timestamp) -> Result<Span, LokiError> {
        let to = self.moment("end")?.unwrap_or(now.0);
        let since = self.length("since")?.unwrap_or(HOUR);
        let from = self.moment("start")?.unwrap_or(to.saturating_sub(since));
        if from > to {
            return Err(ApiError::bad_parameter("start", "start lies after end").into());
        }
        Ok(Span { from, to })
    }

    /// The moments of a chart over the span.
    pub(super) fn steps(&self, span: Span) -> Result<Steps, LokiError> {
        let usual =
            (span.to.saturating_sub(span.from) / STEPS_DEFAULT / NANOS_PER_SEC).max(1) * NANOS_PER_SEC;
        let step = self.length("step")?.unwrap_or(usual);
        Steps::over(span.from, span.to, step).ok_or_else(|| {
            let message =
                format!("the step makes more than {STEPS_MAX} points of the range: use a longer one");
            LokiError(ApiError::bad_parameter("step", message))
        })
    }
}

/// Nanoseconds, seconds with or without a fraction (both told apart by their length), or RFC 3339.
fn moment(text: &str) -> Option<i64> {
    /// Seconds have up to ten digits until the year 2286.
    const SECS_DIGITS: usize = 10;
    if let Ok(number) = text.parse::<i64>() {
        let is_secs = text.trim_start_matches(['-', '+']).len() <= SECS_DIGITS;
        return if is_secs { number.checked_mul(NANOS_PER_SEC) } else { Some(number) };
    }
    if let Ok(secs) = text.parse::<f64>() {
        return (secs.abs() < 9e9).then(|| (secs * 1e9).round() as i64);
    }
    Timestamp::parse(text).ok().map(|moment| moment.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&str, &str)]) -> Asked {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Asked { pairs: pairs.collect(), categorizes: false }
    }

    #[test]
    fn moments_have_several_forms() {
        let nanos = 1_764_670_202_000_000_000;
        for text in ["1764670202000000000", "1764670202", "1764670202.0", "2025-12-02T10:10:02Z"] {
            assert_eq!(moment(text), Some(nanos), "{text}");
        }
        assert_eq!(moment("yesterday"), None);
    }

    #[test]
    fn a_span_is_the_last_hour_or_what_is_said() {
        let now = Timestamp(10 * HOUR);
        assert_eq!(asked(&[]).span(now).unwrap(), Span { from: 9 * HOUR, to: 10 * HOUR });
        assert_eq!(asked(&[("since", "2h")]).span(now).unwrap(), Span { from: 8 * HOUR, to: 10 * HOUR });
        let error = asked(&[("start", "7200"), ("end", "3600")]).span(now).unwrap_err();
        assert_eq!(error.0.field.as_deref(), Some("start"));
    }

    #[test]
    fn steps_are_milliseconds_seconds_or_what_suits_the_span() {
        let span = Span { from: 0, to: 1_000 * NANOS_PER_SEC };
        let step = |text: &str| asked(&[("step", text)]).steps(span).map(|steps| steps.step);
        assert_eq!(step("60000ms").unwrap(), 60 * NANOS_PER_SEC);
        assert_eq!(step("30").unwrap(), 30 * NANOS_PER_SEC);
        assert_eq!(asked(&[]).steps(span).unwrap().step, 4 * NANOS_PER_SEC);
        assert!(step("1ms").is_err() && step("0").is_err() && step("often").is_err());
    }
}
