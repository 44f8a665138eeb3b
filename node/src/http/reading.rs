//! What a reader asks for: query parameters to conditions; and what an answer rests on.

use insighthub_model::Timestamp;
use insighthub_model::api::answer::Coverage;
use insighthub_model::limits::{QUERY_BUCKET_NANOS_MIN, QUERY_FIELDS_MAX};
use insighthub_model::query::{self, Expression, Query, QueryError, TimeSpan};
use insighthub_storage::cluster;
use insighthub_storage::query::{Conditions, Filter, FilterError};

use super::ApiError;

/// What an answer rests on, as clients read it.
pub(super) fn coverage_of(coverage: &cluster::Coverage) -> Coverage {
    Coverage {
        partitions: coverage.partitions,
        partitions_answered: coverage.partitions - coverage.missing.len(),
        complete: coverage.is_complete(),
        stale: !coverage.stale.is_empty(),
    }
}

/// The parameters of a request, in order. Names that mean something to the route are taken out first;
/// what is left are conditions on fields.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn new(pairs: Vec<(String, String)>) -> Parameters {
        Parameters(pairs)
    }

    /// Takes a parameter out; an empty value counts as left out, twice is an error.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        let mut found = self.0.extract_if(.., |(known, _)| known == name).map(|(_, value)| value);
        let (first, second) = (found.next(), found.next());
        drop(found);
        if second.is_some() {
            return Err(ApiError::bad_parameter(name, format!("{name} is given more than once")));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    pub(super) fn take_time(&mut self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        moment(name, self.take(name)?.as_deref())
    }

    pub(super) fn take_number(&mut self, name: &str, default: usize, max: usize) -> Result<usize, ApiError> {
        let Some(text) = self.take(name)? else { return Ok(default) };
        match text.parse() {
            Ok(number) if (1..=max).contains(&number) => Ok(number),
            _ => {
                let message = format!("{name} is {text:?}: it must be a number from 1 to {max}");
                Err(ApiError::bad_parameter(name, message))
            }
        }
    }

    /// A number that may have a fraction.
    pub(super) fn take_float(&mut self, name: &str) -> Result<Option<f64>, ApiError> {
        let Some(text) = self.take(name)? else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(ApiError::bad_parameter(name, format!("{name} is {text:?}: it must be a number"))),
        }
    }

    /// A length of time as the query language writes it, no shorter than what it can tell apart.
    pub(super) fn take_length(&mut self, name: &str) -> Result<Option<TimeSpan>, ApiError> {
        let Some(text) = self.take(name)? else { return Ok(None) };
        match TimeSpan::parse(&text).filter(|length| length.nanos() >= QUERY_BUCKET_NANOS_MIN) {
            Some(length) => Ok(Some(length)),
            None => {
                let message = format!(
                    "{name} is {text:?}: it must be a length of time of 1ms or more, such as 30s or 5m"
                );
                Err(ApiError::bad_parameter(name, message))
            }
        }
    }

    /// Names: the parameter several times, or several with commas between them.
    pub(super) fn take_list(&mut self, name: &str) -> Result<Vec<String>, ApiError> {
        let found = self.0.extract_if(.., |(known, _)| known == name);
        let names: Vec<String> = found
            .flat_map(|(_, value)| value.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>())
            .filter(|part| !part.is_empty())
            .collect();
        if names.len() > QUERY_FIELDS_MAX {
            let message = format!("{name} has {} names: at most {QUERY_FIELDS_MAX}", names.len());
            return Err(ApiError::bad_parameter(name, message));
        }
        Ok(names)
    }

    /// Names of what is left.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Refuses what is left: the question has no such parameter.
    pub(super) fn refuse_others(&self) -> Result<(), ApiError> {
        self.names().next().map_or(Ok(()), |other| {
            Err(ApiError::bad_parameter(other, format!("{other} is no parameter of this question")))
        })
    }

    /// All that is left, as conditions that can be evaluated: `service`, `level`, `from`, `to`, `q`, and any other name as the
    /// field of that name. Times before now are counted from `now`.
    pub(super) fn into_conditions(mut self, now: Timestamp) -> Result<Conditions, ApiError> {
        let text = self.take("q")?;
        self.into_conditions_with("q", text, now)
    }

    /// The same, where the text of the query has been taken out of the parameter `name`.
    pub(super) fn into_conditions_with(
        mut self,
        name: &str,
        text: Option<String>,
        now: Timestamp,
    ) -> Result<Conditions, ApiError> {
        let (from, to) = range(self.take("from")?.as_deref(), self.take("to")?.as_deref())?;
        let filter = parsed(name, &text.unwrap_or_default(), query::parse_filter)?;
        let query = Query::of(self.narrowed(filter).resolved_at(now));
        let conditions = Conditions { query, from, to, ..Conditions::default() };
        check(Filter::new(&conditions))?;
        Ok(conditions)
    }

    /// The same, where the text may have stages; whether its conditions can be evaluated is not looked at.
    pub(super) fn into_staged_conditions(mut self, now: Timestamp) -> Result<Conditions, ApiError> {
        let (from, to) = range(self.take("from")?.as_deref(), self.take("to")?.as_deref())?;
        let Query { filter, stages } = parsed("q", &self.take("q")?.unwrap_or_default(), query::parse)?;
        let query = Query { filter: self.narrowed(filter), stages }.resolved_at(now);
        Ok(Conditions { query, from, to, ..Conditions::default() })
    }

    /// The filter and the conditions beside it.
    fn narrowed(self, filter: Expression) -> Expression {
        let conditions = self.0.into_iter().filter(|(_, value)| !value.is_empty());
        let conditions = conditions.map(|(name, value)| Expression::field_is(&name, &value));
        Expression::all_of(conditions.chain([filter]))
    }
}

/// A moment, RFC 3339 or seconds since 1970; an empty text counts as left out.
pub(super) fn moment(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    let parsed = text.filter(|text| !text.is_empty()).map(Timestamp::parse).transpose();
    parsed.map_err(|error| ApiError::bad_parameter(name, format!("{name}: {error}")))
}

/// The parameters `from` and `to`, the first and the last moment meant, as conditions hold them: they end before theirs.
pub(super) fn range(
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
    let (from, to) = (moment("from", from)?, moment("to", to)?);
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(ApiError::bad_parameter("from", "from lies after to"));
    }
    Ok((from, to.map(|to| Timestamp(to.0.saturating_add(1)))))
}

/// What the text of the parameter `name` says in the query language.
pub(super) fn parsed<T>(
    name: &str,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, QueryError>,
) -> Result<T, ApiError> {
    parse(text).map_err(|error| {
        ApiError::bad_parameter(name, format!("the query cannot be read:\n{}", error.with_caret(text)))
    })
}

/// What cannot be evaluated is said here, with its name, and not by some replica.
pub(super) fn check(filter: Result<Filter, FilterError>) -> Result<(), ApiError> {
    match filter {
        Ok(_) => Ok(()),
        Err(error) => Err(ApiError::bad_parameter(&error.name, error.to_string())),
    }
}
