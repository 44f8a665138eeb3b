//! What a reader asks for: query parameters to conditions.

use insighthub_model::Timestamp;
use insighthub_model::query::{self, Expression, Query};
use insighthub_storage::query::{Conditions, Filter};

use super::ApiError;

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

    /// All that is left, as conditions that can be evaluated: `service`, `level`, `from`, `to`, `q`, and any other name as the
    /// field of that name. Times before now are counted from `now`.
    pub(super) fn into_conditions(mut self, now: Timestamp) -> Result<Conditions, ApiError> {
        let (from, to) = (self.take_time("from")?, self.take_time("to")?);
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            return Err(ApiError::bad_parameter("from", "from lies after to"));
        }
        let text = self.take("q")?.unwrap_or_default();
        let filter = query::parse_filter(&text).map_err(|error| {
            ApiError::bad_parameter("q", format!("the query cannot be read:\n{}", error.with_caret(&text)))
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
