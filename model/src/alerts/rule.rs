//! A rule: which records, what about them is wrong, for how long, and who hears of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::condition::{Condition, check_filter};
use super::names::{Problem, check_line, check_name, check_range};
use crate::limits::{
    ALERT_CHANNELS_PER_RULE_MAX, ALERT_GROUP_FIELDS_MAX, ALERT_LABELS_MAX, ALERT_TEMPLATE_BYTES_MAX,
    ALERT_TEXT_BYTES_MAX,
};
use crate::query::Expression;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    #[default]
    Warning,
    Critical,
}

/// One rule; its name is its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub title: String,
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Which records, in the query language without stages; empty means all.
    #[serde(default)]
    pub filter: String,
    pub condition: Condition,
    /// Each combination of their values is judged, and fires, apart.
    #[serde(default = "by_service")]
    pub group_by: Vec<String>,
    /// Records of so many seconds before now are looked at.
    #[serde(default = "minute")]
    pub window_secs: u32,
    /// It must be wrong for so long before it fires.
    #[serde(default)]
    pub for_secs: u32,
    /// It must be well for so long before it counts as over.
    #[serde(default = "two_minutes")]
    pub resolve_after_secs: u32,
    /// While it fires and nobody has acknowledged it, it is told again so often; 0: once.
    #[serde(default = "four_hours")]
    pub repeat_secs: u32,
    #[serde(default)]
    pub severity: Severity,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub owner: Option<String>,
    /// Names of channels.
    #[serde(default)]
    pub channels: Vec<String>,
    /// The text of messages, with `{{observed}}` and the like; see [`super::render`].
    #[serde(default)]
    pub template: Option<String>,
    /// Say when it is over.
    #[serde(default = "yes")]
    pub notify_resolved: bool,
}

fn yes() -> bool {
    true
}

fn by_service() -> Vec<String> {
    vec!["service".to_owned()]
}

fn minute() -> u32 {
    60
}

fn two_minutes() -> u32 {
    120
}

fn four_hours() -> u32 {
    4 * 3_600
}

const DAY: u32 = 86_400;

impl Rule {
    /// Whether it can be kept and evaluated.
    pub fn check(&self) -> Result<(), Problem> {
        if self.title.trim().is_empty() {
            return Err(Problem::new("title", "must say in a few words what is wrong"));
        }
        check_line("title", &self.title, ALERT_TEXT_BYTES_MAX)?;
        check_filter("filter", &self.filter)?;
        self.condition.check()?;
        self.check_groups()?;
        check_range("window_secs", self.window_secs, (10, DAY))?;
        check_range("for_secs", self.for_secs, (0, DAY))?;
        check_range("resolve_after_secs", self.resolve_after_secs, (0, DAY))?;
        if self.repeat_secs != 0 {
            check_range("repeat_secs", self.repeat_secs, (60, 30 * DAY))?;
        }
        self.check_words()
    }

    fn check_groups(&self) -> Result<(), Problem> {
        if self.group_by.len() > ALERT_GROUP_FIELDS_MAX {
            return Err(Problem::new("group_by", format!("at most {ALERT_GROUP_FIELDS_MAX} fields")));
        }
        for (place, field) in self.group_by.iter().enumerate() {
            if field.is_empty() || self.group_by.iter().take(place).any(|other| other == field) {
                return Err(Problem::new("group_by", "each field must have a name and stand there once"));
            }
            check_line("group_by", field, 256)?;
        }
        let is_fixed = matches!(self.condition, Condition::Anomaly(_));
        if is_fixed && self.group_by != ["service"] {
            return Err(Problem::new("group_by", "episodes are of a service: leave it at [\"service\"]"));
        }
        if is_fixed && !self.filter.trim().is_empty() && self.service_of_filter().is_none() {
            return Err(Problem::new(
                "filter",
                "episodes are of a service: only service:NAME, or nothing, can be said",
            ));
        }
        Ok(())
    }

    fn check_words(&self) -> Result<(), Problem> {
        if self.labels.len() > ALERT_LABELS_MAX {
            return Err(Problem::new("labels", format!("at most {ALERT_LABELS_MAX} labels")));
        }
        for (name, value) in &self.labels {
            check_name("labels", name)?;
            check_line("labels", value, ALERT_TEXT_BYTES_MAX)?;
        }
        check_line("owner", self.owner.as_deref().unwrap_or(""), ALERT_TEXT_BYTES_MAX)?;
        if self.channels.len() > ALERT_CHANNELS_PER_RULE_MAX {
            return Err(Problem::new("channels", format!("at most {ALERT_CHANNELS_PER_RULE_MAX} channels")));
        }
        self.channels.iter().try_for_each(|name| check_name("channels", name))?;
        let template = self.template.as_deref().unwrap_or("");
        if template.len() > ALERT_TEMPLATE_BYTES_MAX {
            return Err(Problem::new("template", format!("at most {ALERT_TEMPLATE_BYTES_MAX} bytes")));
        }
        super::template::check(template)
    }

    /// The records that are looked at.
    pub fn expression(&self) -> Result<Expression, Problem> {
        check_filter("filter", &self.filter)
    }

    /// The service that the filter names, where it says nothing else.
    pub fn service_of_filter(&self) -> Option<String> {
        let (name, value) = self.filter.trim().split_once(':')?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        (name == "service" && !value.is_empty() && value.bytes().all(is_plain)).then(|| value.to_owned())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;

    fn field_at_fault(json: &str) -> Option<String> {
        let rule: Rule = serde_json::from_str(json).unwrap();
        rule.check().err().map(|problem| problem.field)
    }

    #[test]
    fn what_cannot_be_evaluated_is_refused_by_field() {
        let spike = r#""condition":{"error_rate":{}}"#;
        assert_eq!(field_at_fault(&format!(r#"{{"title":"a",{spike}}}"#)), None);
        for (fields, at_fault) in [
            (r#""title":" ","condition":{"error_rate":{}}"#, "title"),
            (r#""title":"a","filter":"level:(","condition":{"error_rate":{}}"#, "filter"),
            (r#""title":"a","filter":"a | stats count()","condition":{"error_rate":{}}"#, "filter"),
            (r#""title":"a","window_secs":5,"condition":{"error_rate":{}}"#, "window_secs"),
            (r#""title":"a","group_by":["a","a"],"condition":{"error_rate":{}}"#, "group_by"),
            (r#""title":"a","group_by":["env"],"condition":{"anomaly":{}}"#, "group_by"),
            (r#""title":"a","channels":["A b"],"condition":{"error_rate":{}}"#, "channels"),
            (r#""title":"a","template":"{{x}}","condition":{"error_rate":{}}"#, "template"),
            (r#""title":"a","condition":{"error_rate":{"factor":0.5}}"#, "factor"),
            (r#""title":"a","condition":{"latency":{"statistic":"p0","threshold_ms":1}}"#, "statistic"),
            (r#""title":"a","condition":{"latency":{"statistic":"sum","threshold_ms":1}}"#, "statistic"),
            (r#""title":"a","condition":{"query":{"value":"count() by x","is":">","threshold":1}}"#, "value"),
            (
                r#""title":"a","condition":{"query":{"value":"count() | limit 1","is":">","threshold":1}}"#,
                "value",
            ),
            (r#""title":"a","condition":{"ratio":{"of":"(","is":">","threshold":1}}"#, "of"),
        ] {
            assert_eq!(field_at_fault(&format!("{{{fields}}}")).as_deref(), Some(at_fault), "{fields}");
        }
    }

    #[test]
    fn a_figure_of_any_query_can_be_compared() {
        let query = r#"{"title":"a","condition":{"query":{"value":"count() if (status:>=500)","is":">=","threshold":9}}}"#;
        assert_eq!(field_at_fault(query), None);
        let service: Rule =
            serde_json::from_str(r#"{"title":"a","filter":"service:a-b","condition":{"anomaly":{}}}"#)
                .unwrap();
        assert_eq!((service.check(), service.service_of_filter().as_deref()), (Ok(()), Some("a-b")));
    }
}
