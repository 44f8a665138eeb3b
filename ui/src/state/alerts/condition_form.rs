//! The condition of a rule as it is typed: every kind keeps what was typed while another is looked at.

use crate::api::alerts::{
    AnomalyCount, Condition, ErrorRate, Latency, NewPattern, NoData, QueryValue, Ratio, Relation,
};
use crate::state::forms::{self, Fault};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    ErrorRate,
    Latency,
    Anomaly,
    Query,
    Ratio,
    NoData,
    NewPattern,
}

impl Kind {
    pub const ALL: [Kind; 7] = [
        Kind::ErrorRate,
        Kind::Latency,
        Kind::Anomaly,
        Kind::Query,
        Kind::Ratio,
        Kind::NoData,
        Kind::NewPattern,
    ];

    /// As the API names it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::ErrorRate => "error_rate",
            Kind::Latency => "latency",
            Kind::Anomaly => "anomaly",
            Kind::Query => "query",
            Kind::Ratio => "ratio",
            Kind::NoData => "no_data",
            Kind::NewPattern => "new_pattern",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Kind::ErrorRate => "Error spike",
            Kind::Latency => "Slow",
            Kind::Anomaly => "Anomaly",
            Kind::Query => "A figure",
            Kind::Ratio => "A share",
            Kind::NoData => "Silence",
            Kind::NewPattern => "A new message",
        }
    }

    pub fn meaning(self) -> &'static str {
        match self {
            Kind::ErrorRate => "Errors a minute rise far above what is normal for that group at other times.",
            Kind::Latency => "A statistic of response times is above a threshold.",
            Kind::Anomaly => "The detectors say that a service behaves unlike itself.",
            Kind::Query => "A count, average or other aggregate of records is above or below a threshold.",
            Kind::Ratio => "Too large or too small a part of the records meets a filter.",
            Kind::NoData => "A group that wrote before writes nothing any more.",
            Kind::NewPattern => "A kind of message comes that did not come before.",
        }
    }

    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub fn of(condition: &Condition) -> Kind {
        match condition {
            Condition::ErrorRate(_) => Kind::ErrorRate,
            Condition::Latency(_) => Kind::Latency,
            Condition::Anomaly(_) => Kind::Anomaly,
            Condition::Query(_) => Kind::Query,
            Condition::Ratio(_) => Kind::Ratio,
            Condition::NoData(_) => Kind::NoData,
            Condition::NewPattern(_) => Kind::NewPattern,
        }
    }
}

/// One text for each field of each kind; fields of two kinds that mean the same share one.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionForm {
    pub kind: Kind,
    pub factor: String,
    pub errors_per_min_floor: String,
    pub history_mins: String,
    pub history_mins_min: String,
    pub statistic: String,
    pub field: String,
    pub threshold_ms: String,
    pub score_min: String,
    pub episodes_max: String,
    pub value: String,
    pub relation: String,
    pub threshold: String,
    pub of: String,
    pub to: String,
    pub lookback: String,
    pub records_min: String,
}

impl Default for ConditionForm {
    fn default() -> Self {
        let spike = ErrorRate::default();
        let anomaly = AnomalyCount::default();
        ConditionForm {
            kind: Kind::ErrorRate,
            factor: spike.factor.to_string(),
            errors_per_min_floor: spike.errors_per_min_floor.to_string(),
            history_mins: spike.history_mins.to_string(),
            history_mins_min: spike.history_mins_min.to_string(),
            statistic: "p95".to_owned(),
            field: "latency_ms".to_owned(),
            threshold_ms: "1000".to_owned(),
            // Twice the detectors' threshold: quieter ones come with every release.
            score_min: (anomaly.score_min * 2.0).to_string(),
            episodes_max: anomaly.episodes_max.to_string(),
            value: "count()".to_owned(),
            relation: ">".to_owned(),
            threshold: "100".to_owned(),
            of: "level:(ERROR OR FATAL)".to_owned(),
            to: String::new(),
            lookback: forms::shown_secs(NoData::default().lookback_secs),
            records_min: "20".to_owned(),
        }
    }
}

impl ConditionForm {
    pub fn of(condition: &Condition) -> ConditionForm {
        let mut form = ConditionForm { kind: Kind::of(condition), ..ConditionForm::default() };
        match condition {
            Condition::ErrorRate(of) => {
                form.factor = of.factor.to_string();
                form.errors_per_min_floor = of.errors_per_min_floor.to_string();
                form.history_mins = of.history_mins.to_string();
                form.history_mins_min = of.history_mins_min.to_string();
            }
            Condition::Latency(of) => {
                form.statistic.clone_from(&of.statistic);
                form.field.clone_from(&of.field);
                form.threshold_ms = of.threshold_ms.to_string();
                form.records_min = of.records_min.to_string();
            }
            Condition::Anomaly(of) => {
                form.score_min = of.score_min.to_string();
                form.episodes_max = of.episodes_max.to_string();
            }
            Condition::Query(of) => {
                form.value.clone_from(&of.value);
                form.relation = of.relation.sign().to_owned();
                form.threshold = of.threshold.to_string();
            }
            Condition::Ratio(of) => {
                form.of.clone_from(&of.of);
                form.to.clone_from(&of.to);
                form.relation = of.relation.sign().to_owned();
                form.threshold = of.threshold.to_string();
                form.records_min = of.records_min.to_string();
            }
            Condition::NoData(of) => form.lookback = forms::shown_secs(of.lookback_secs),
            Condition::NewPattern(of) => {
                form.lookback = forms::shown_secs(of.lookback_secs);
                form.records_min = of.records_min.to_string();
            }
        }
        form
    }

    /// With another kind, and what is sensible for that where kinds share a field.
    pub fn with_kind(&self, kind: Kind) -> ConditionForm {
        let (threshold, records_min) = match kind {
            Kind::Ratio => ("0.05", "20"),
            Kind::Latency => (self.threshold.as_str(), "20"),
            Kind::NewPattern => (self.threshold.as_str(), "1"),
            Kind::Query => ("100", self.records_min.as_str()),
            _ => (self.threshold.as_str(), self.records_min.as_str()),
        };
        ConditionForm {
            kind,
            threshold: threshold.to_owned(),
            records_min: records_min.to_owned(),
            ..self.clone()
        }
    }

    pub fn condition(&self) -> Result<Condition, Fault> {
        Ok(match self.kind {
            Kind::ErrorRate => Condition::ErrorRate(ErrorRate {
                factor: forms::number("factor", &self.factor)?,
                errors_per_min_floor: forms::number("errors_per_min_floor", &self.errors_per_min_floor)?,
                history_mins: forms::whole("history_mins", &self.history_mins)?,
                history_mins_min: forms::whole("history_mins_min", &self.history_mins_min)?,
            }),
            Kind::Latency => Condition::Latency(Latency {
                statistic: self.statistic.trim().to_owned(),
                field: self.field.trim().to_owned(),
                threshold_ms: forms::number("threshold_ms", &self.threshold_ms)?,
                records_min: self.records_min()?,
            }),
            Kind::Anomaly => Condition::Anomaly(AnomalyCount {
                score_min: forms::number("score_min", &self.score_min)?,
                episodes_max: forms::whole("episodes_max", &self.episodes_max)?,
            }),
            Kind::Query => Condition::Query(QueryValue {
                value: self.value.trim().to_owned(),
                relation: self.relation()?,
                threshold: forms::number("threshold", &self.threshold)?,
            }),
            Kind::Ratio => Condition::Ratio(Ratio {
                of: self.of.trim().to_owned(),
                to: self.to.trim().to_owned(),
                relation: self.relation()?,
                threshold: forms::number("threshold", &self.threshold)?,
                records_min: self.records_min()?,
            }),
            Kind::NoData => Condition::NoData(NoData { lookback_secs: self.lookback_secs()? }),
            Kind::NewPattern => Condition::NewPattern(NewPattern {
                lookback_secs: self.lookback_secs()?,
                records_min: self.records_min()?,
            }),
        })
    }

    fn records_min(&self) -> Result<u64, Fault> {
        forms::whole("records_min", &self.records_min)
    }

    fn lookback_secs(&self) -> Result<u32, Fault> {
        forms::secs("lookback_secs", &self.lookback)
    }

    fn relation(&self) -> Result<Relation, Fault> {
        let all = [Relation::Above, Relation::AtLeast, Relation::Below, Relation::AtMost];
        let found = all.into_iter().find(|relation| relation.sign() == self.relation);
        found.ok_or_else(|| Fault::at("is", "Choose how it is compared."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_what_it_was_after_the_form() {
        let conditions = [
            Condition::ErrorRate(ErrorRate {
                factor: 4.5,
                errors_per_min_floor: 7.0,
                history_mins: 60,
                history_mins_min: 5,
            }),
            Condition::Latency(Latency {
                statistic: "p99.9".into(),
                field: "db_ms".into(),
                threshold_ms: 250.5,
                records_min: 7,
            }),
            Condition::Anomaly(AnomalyCount { score_min: 2.5, episodes_max: 1 }),
            Condition::Query(QueryValue {
                value: "count() if (status:>=500)".into(),
                relation: Relation::AtMost,
                threshold: -3.25,
            }),
            Condition::Ratio(Ratio {
                of: "level:ERROR".into(),
                to: "path:/pay".into(),
                relation: Relation::AtLeast,
                threshold: 0.015,
                records_min: 50,
            }),
            Condition::NoData(NoData { lookback_secs: 5_400 }),
            Condition::NewPattern(NewPattern { lookback_secs: 172_800, records_min: 3 }),
        ];
        assert_eq!(conditions.each_ref().map(Kind::of), Kind::ALL);
        for condition in conditions {
            assert_eq!(ConditionForm::of(&condition).condition(), Ok(condition));
        }
    }

    #[test]
    fn what_each_kind_begins_with_can_be_kept() {
        for kind in Kind::ALL {
            let condition = ConditionForm::default().with_kind(kind).condition().unwrap();
            assert_eq!((Kind::of(&condition), Kind::from_name(kind.name())), (kind, Some(kind)));
            // The node's own check of it, by a rule around it.
            let rule = serde_json::json!({ "title": "x", "condition": condition });
            let rule: crate::api::alerts::Rule = serde_json::from_value(rule).unwrap();
            assert_eq!(rule.check(), Ok(()), "{kind:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_said_at_its_field() {
        let fault = |change: fn(&mut ConditionForm), kind: Kind| {
            let mut form = ConditionForm::default().with_kind(kind);
            change(&mut form);
            form.condition().unwrap_err().field.unwrap()
        };
        assert_eq!(fault(|form| form.factor.clear(), Kind::ErrorRate), "factor");
        assert_eq!(fault(|form| form.threshold_ms = "fast".into(), Kind::Latency), "threshold_ms");
        assert_eq!(fault(|form| form.lookback = "long".into(), Kind::NoData), "lookback_secs");
        assert_eq!(fault(|form| form.relation = "=".into(), Kind::Ratio), "is");
    }
}
