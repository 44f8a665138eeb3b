//! What a reader asks for: query parameters to conditions; and what an answer rests on.

use insighthub_model::Timestamp;
use insighthub_model::api::answer::Coverage;
use insighthub_model::limits::{QUERY_BUCKET_NANOS_MIN, QUERY_FIELDS_MAX};
use insighthub_model::query::{self, Expression, Query, TimeSpan};
use insighthub_storage::cluster;
use insighthub_storage::query::{Conditions, Filter};

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
        let text = self.take(name)?;
        let time = text.map(|text| Timestamp::parse(&text)).transpose();
        time.map_err(|error| ApiError::bad_parameter(name, format!("{name}: {error}")))
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
        let (from, to) = (self.take_time("from")?, self.take_time("to")?);
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            return Err(ApiError::bad_parameter("from", "from lies after to"));
        }
        let text = text.unwrap_or_default();
        let filter = query::parse_filter(&text).map_err(|error| {
            ApiError::bad_parameter(name, format!("the query cannot be read:\n{}", error.with_caret(&text)))
        })?;
        let conditions = self.0.into_iter().filter(|(_, value)| !value.is_empty());
        let conditions = conditions.map(|(name, value)| Expression::field_is(&name, &value));
        let expression = Expression::all_of(conditions.chain([filter]));
        // `to` is the last moment meant; conditions end before theirs.
        let to = to.map(|to| Timestamp(to.0.saturating_add(1)));
        let query = Query::of(expression.resolved_at(now));
        let conditions = Conditions { query, from, to, ..Conditions::default() };
        // What cannot be evaluated is said here, with its name, and not by some replica.
        Filter::new(&conditions).map_err(|error| ApiError::bad_parameter(&error.name, error.to_string()))?;
        Ok(conditions)
    }
}
