//! Which incidents are asked for.

use insighthub_model::Timestamp;
use insighthub_model::detection::{Episode, EpisodeId, Verdict};

use super::{ApiError, Parameters};

#[derive(Debug, Default, PartialEq)]
pub(super) struct Wanted {
    pub(super) service: Option<String>,
    /// First and last moment of a range in which the incident was going on.
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    open: Option<bool>,
    /// `Some(None)`: those that nobody has judged.
    verdict: Option<Option<Verdict>>,
    /// The last of the page before.
    pub(super) after: Option<EpisodeId>,
}

impl Wanted {
    pub(super) fn take(parameters: &mut Parameters) -> Result<Wanted, ApiError> {
        let service = parameters.take("service")?;
        let (from, to) = range(parameters)?;
        let open = match parameters.take("open")?.as_deref() {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(_) => return Err(ApiError::bad_parameter("open", "open must be true or false")),
        };
        let verdict = match parameters.take("verdict")?.as_deref() {
            None => None,
            Some("real") => Some(Some(Verdict::Real)),
            Some("false_alarm") => Some(Some(Verdict::FalseAlarm)),
            Some("none") => Some(None),
            Some(_) => {
                let message = "verdict must be real, false_alarm or none";
                return Err(ApiError::bad_parameter("verdict", message));
            }
        };
        let after = parameters.take("cursor")?.map(|text| text.parse()).transpose();
        let after =
            after.map_err(|_| ApiError::bad_parameter("cursor", "the cursor is not one this API gave"))?;
        Ok(Wanted { service, from, to, open, verdict, after })
    }

    /// What is not looked for where the incidents are kept.
    pub(super) fn fits(&self, episode: &Episode, verdict: impl FnOnce() -> Option<Verdict>) -> bool {
        self.open.is_none_or(|open| episode.ended_at.is_none() == open)
            && self.verdict.is_none_or(|wanted| verdict() == wanted)
    }
}

pub(super) fn range(parameters: &mut Parameters) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
    let (from, to) = (parameters.take_time("from")?, parameters.take_time("to")?);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(ApiError::bad_parameter("from", "from lies after to"));
    }
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use insighthub_model::detection::Explanation;

    use super::*;

    fn wanted(pairs: &[(&str, &str)]) -> Result<Wanted, ApiError> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Wanted::take(&mut Parameters::new(pairs.collect()))
    }

    fn episode(ended_at: Option<i64>) -> Episode {
        Episode {
            opened_at: Timestamp(1),
            peak_at: Timestamp(1),
            peak_score: 2.0,
            ended_at: ended_at.map(Timestamp),
            alerts: Vec::new(),
            explanation: Explanation::default(),
        }
    }

    #[test]
    fn what_is_open_and_what_was_judged_is_told_apart() {
        let fits = |pairs: &[(&str, &str)], ended_at, verdict| {
            wanted(pairs).unwrap().fits(&episode(ended_at), || verdict)
        };
        assert!(fits(&[], None, None) && fits(&[], Some(5), Some(Verdict::Real)));
        assert!(fits(&[("open", "true")], None, None) && !fits(&[("open", "true")], Some(5), None));
        assert!(fits(&[("open", "false")], Some(5), None) && !fits(&[("open", "false")], None, None));
        let (real, none) = ([("verdict", "real")], [("verdict", "none")]);
        assert!(fits(&real, None, Some(Verdict::Real)));
        assert!(!fits(&real, None, Some(Verdict::FalseAlarm)) && !fits(&real, None, None));
        assert!(fits(&none, None, None) && !fits(&none, None, Some(Verdict::Real)));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (name, value) in
            [("open", "yes"), ("verdict", "wrong"), ("cursor", "7"), ("from", "soon"), ("to", "later")]
        {
            assert_eq!(wanted(&[(name, value)]).unwrap_err().field.as_deref(), Some(name));
        }
        let error = wanted(&[("from", "2026-01-02T00:00:00Z"), ("to", "2026-01-01T00:00:00Z")]).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("from"));
    }
}
