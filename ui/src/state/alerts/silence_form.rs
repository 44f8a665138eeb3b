//! A silence as it is typed.

use insighthub_model::Timestamp;

use super::rule_form::{read_labels, shown_labels};
use crate::api::alerts::{Incident, Matches, Recurrence, Severity, Silence, check_name};
use crate::state::forms::{self, Fault};

const HOUR_MS: i64 = 3_600_000;

#[derive(Clone, Debug, PartialEq)]
pub struct SilenceForm {
    pub name: String,
    pub rule: String,
    pub service: String,
    /// This one or a lesser one; `None` means all.
    pub severity: Option<Severity>,
    pub labels: Vec<String>,
    /// Local moments, as inputs hold them.
    pub starts: String,
    pub ends: String,
    pub again: Recurrence,
    pub reason: String,
}

impl SilenceForm {
    /// From now on for an hour.
    pub fn new(now_ms: i64, offset: impl Fn(i64) -> i64) -> SilenceForm {
        let text = |at_ms: i64| forms::local_text(at_ms, offset(at_ms));
        SilenceForm {
            name: String::new(),
            rule: String::new(),
            service: String::new(),
            severity: None,
            labels: Vec::new(),
            starts: text(now_ms),
            ends: text(now_ms + HOUR_MS),
            again: Recurrence::Never,
            reason: String::new(),
        }
    }

    /// What silences the incident and its like.
    pub fn for_incident(self, incident: &Incident) -> SilenceForm {
        let service = incident.service().unwrap_or_default().to_owned();
        self.about(&incident.rule, &service)
    }

    pub fn about(self, rule: &str, service: &str) -> SilenceForm {
        let parts: Vec<&str> = [rule, service].into_iter().filter(|part| !part.is_empty()).collect();
        let name = if parts.is_empty() { String::new() } else { super::rule_form::name_of(&parts.join(" ")) };
        SilenceForm { name, rule: rule.to_owned(), service: service.to_owned(), ..self }
    }

    pub fn of(name: &str, silence: &Silence, offset: impl Fn(i64) -> i64) -> SilenceForm {
        let text = |at: Timestamp| forms::local_text(at.millis(), offset(at.millis()));
        SilenceForm {
            name: name.to_owned(),
            rule: silence.matches.rule.clone().unwrap_or_default(),
            service: silence.matches.service.clone().unwrap_or_default(),
            severity: silence.matches.severity,
            labels: shown_labels(&silence.matches.labels),
            starts: text(silence.starts_at),
            ends: text(silence.ends_at),
            again: silence.again,
            reason: silence.reason.clone(),
        }
    }

    /// Name and silence, if both can be kept: the check is the node's own.
    pub fn named(&self, offset: impl Fn(i64) -> i64) -> Result<(String, Silence), Fault> {
        let moment = |field: &str, text: &str| {
            let at_ms = forms::local_ms(text, &offset);
            at_ms.map(Timestamp::from_millis).ok_or_else(|| Fault::at(field, "Give a day and a time."))
        };
        let silence = Silence {
            matches: Matches {
                rule: forms::optional(&self.rule),
                service: forms::optional(&self.service),
                severity: self.severity,
                labels: read_labels(&self.labels)?,
            },
            starts_at: moment("starts_at", &self.starts)?,
            ends_at: moment("ends_at", &self.ends)?,
            again: self.again,
            reason: self.reason.trim().to_owned(),
            by: String::new(),
        };
        let name = self.name.trim().to_owned();
        check_name("name", &name)?;
        silence.check()?;
        Ok((name, silence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE_MS: i64 = -5 * HOUR_MS;

    fn full() -> Silence {
        serde_json::from_str(
            r#"{"matches":{"rule":"slow","service":"payment","severity":"warning","labels":{"team":"a"}},
            "starts_at":"2026-01-31T22:00:00Z","ends_at":"2026-01-31T23:30:00Z","again":"weekly","reason":"release"}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_silence_is_what_it_was_after_the_form_wherever_the_reader_is() {
        for zone_ms in [0, ZONE_MS, HOUR_MS] {
            let form = SilenceForm::of("release", &full(), |_| zone_ms);
            assert_eq!(form.named(|_| zone_ms), Ok(("release".to_owned(), full())));
        }
    }

    #[test]
    fn a_new_one_lasts_an_hour_and_needs_a_reason() {
        let form = SilenceForm::new(1_700_000_000_000, |_| ZONE_MS).about("slow", "payment");
        assert_eq!(form.name, "slow-payment");
        assert_eq!(form.named(|_| ZONE_MS).unwrap_err().field.as_deref(), Some("reason"));
        let (_, silence) = SilenceForm { reason: "x".into(), ..form }.named(|_| ZONE_MS).unwrap();
        assert_eq!(silence.ends_at.millis() - silence.starts_at.millis(), HOUR_MS);
        let backwards = SilenceForm {
            reason: "x".into(),
            ends: "2001-01-01T00:00".into(),
            ..SilenceForm::new(1_700_000_000_000, |_| 0).about("slow", "")
        };
        assert_eq!(backwards.named(|_| 0).unwrap_err().field.as_deref(), Some("ends_at"));
    }
}
