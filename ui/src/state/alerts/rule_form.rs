//! A rule as it is typed.

use std::collections::BTreeMap;

use super::condition_form::{ConditionForm, Kind};
use crate::api::alerts::{Rule, Severity, check_name};
use crate::state::forms::{self, Fault};

#[derive(Clone, Debug, PartialEq)]
pub struct RuleForm {
    /// In the address of the API; fixed once there is such a rule.
    pub name: String,
    pub title: String,
    pub is_enabled: bool,
    pub filter: String,
    pub condition: ConditionForm,
    pub group_by: Vec<String>,
    pub window: String,
    pub wait: String,
    pub resolve_after: String,
    pub repeat: String,
    pub severity: Severity,
    /// `name=value`.
    pub labels: Vec<String>,
    pub owner: String,
    pub channels: Vec<String>,
    pub template: String,
    pub tells_end: bool,
}

impl Default for RuleForm {
    fn default() -> Self {
        RuleForm {
            name: String::new(),
            title: String::new(),
            is_enabled: true,
            filter: String::new(),
            condition: ConditionForm::default(),
            group_by: vec!["service".to_owned()],
            window: "1m".to_owned(),
            wait: "0".to_owned(),
            resolve_after: "2m".to_owned(),
            repeat: "4h".to_owned(),
            severity: Severity::Warning,
            labels: Vec::new(),
            owner: String::new(),
            channels: Vec::new(),
            template: String::new(),
            tells_end: true,
        }
    }
}

impl RuleForm {
    pub fn of(name: &str, rule: &Rule) -> RuleForm {
        RuleForm {
            name: name.to_owned(),
            title: rule.title.clone(),
            is_enabled: rule.enabled,
            filter: rule.filter.clone(),
            condition: ConditionForm::of(&rule.condition),
            group_by: rule.group_by.clone(),
            window: forms::shown_secs(rule.window_secs),
            wait: forms::shown_secs(rule.for_secs),
            resolve_after: forms::shown_secs(rule.resolve_after_secs),
            repeat: forms::shown_secs(rule.repeat_secs),
            severity: rule.severity,
            labels: shown_labels(&rule.labels),
            owner: rule.owner.clone().unwrap_or_default(),
            channels: rule.channels.clone(),
            template: rule.template.clone().unwrap_or_default(),
            tells_end: rule.notify_resolved,
        }
    }

    /// A rule like this one, under a name that is not taken.
    pub fn copied(self, taken: &[String]) -> RuleForm {
        let names = std::iter::once(format!("{}-copy", self.name))
            .chain((2..).map(|number| format!("{}-copy-{number}", self.name)));
        let name = names.into_iter().find(|name| !taken.contains(name)).unwrap_or_default();
        RuleForm { name, title: format!("{} (copy)", self.title), ..self }
    }

    pub fn set_kind(&mut self, kind: Kind) {
        self.condition = self.condition.with_kind(kind);
        // Incidents of detectors are of a service, and nothing else can be said.
        if kind == Kind::Anomaly {
            self.group_by = vec!["service".to_owned()];
        }
        // Minutes that are looked at one by one say little of what is slow or rare.
        self.window = match kind {
            Kind::ErrorRate | Kind::Anomaly => "1m",
            Kind::Latency | Kind::Query | Kind::Ratio | Kind::NewPattern => "5m",
            Kind::NoData => "10m",
        }
        .to_owned();
    }

    /// The rule, if it can be kept: the check is the node's own.
    pub fn rule(&self) -> Result<Rule, Fault> {
        let rule = Rule {
            title: self.title.trim().to_owned(),
            enabled: self.is_enabled,
            filter: self.filter.trim().to_owned(),
            condition: self.condition.condition()?,
            group_by: self.group_by.clone(),
            window_secs: forms::secs("window_secs", &self.window)?,
            for_secs: forms::secs("for_secs", &self.wait)?,
            resolve_after_secs: forms::secs("resolve_after_secs", &self.resolve_after)?,
            repeat_secs: forms::secs("repeat_secs", &self.repeat)?,
            severity: self.severity,
            labels: read_labels(&self.labels)?,
            owner: forms::optional(&self.owner),
            channels: self.channels.clone(),
            template: (!self.template.trim().is_empty()).then(|| self.template.clone()),
            notify_resolved: self.tells_end,
        };
        rule.check()?;
        Ok(rule)
    }

    /// The rule as it may be tried: its title does not matter yet.
    pub fn tried(&self) -> Result<Rule, Fault> {
        let title = if self.title.trim().is_empty() { "Preview" } else { self.title.as_str() };
        RuleForm { title: title.to_owned(), channels: Vec::new(), ..self.clone() }.rule()
    }

    /// Name and rule, if both can be kept.
    pub fn named(&self) -> Result<(String, Rule), Fault> {
        let rule = self.rule()?;
        let name = self.name.trim().to_owned();
        check_name("name", &name)?;
        Ok((name, rule))
    }
}

/// A name of the API from words for people: `Error spike!` gives `error-spike`.
pub fn name_of(title: &str) -> String {
    let mut name = String::new();
    for letter in title.to_lowercase().chars() {
        if letter.is_ascii_alphanumeric() {
            name.push(letter);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(60);
    name.trim_end_matches('-').to_owned()
}

pub fn shown_labels(labels: &BTreeMap<String, String>) -> Vec<String> {
    labels.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

pub fn read_labels(texts: &[String]) -> Result<BTreeMap<String, String>, Fault> {
    let read = |text: &String| {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| Fault::at("labels", format!("{text:?} has no value: write team=payments.")))?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    texts.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Rule {
        let text = r#"{"title":"Errors","enabled":false,"filter":"env:production",
            "condition":{"ratio":{"of":"level:ERROR","is":">","threshold":0.05}},"group_by":["service","region"],
            "window_secs":300,"for_secs":90,"resolve_after_secs":0,"repeat_secs":0,"severity":"critical",
            "labels":{"team":"payments","a":"b=c"},"owner":"Ann","channels":["ops"],"template":"{{heading}}\nx","notify_resolved":false}"#;
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_rule_is_what_it_was_after_the_form() {
        assert_eq!(RuleForm::of("errors", &full()).named(), Ok(("errors".to_owned(), full())));
        for (name, rule) in insighthub_model::alerts::first_rules() {
            assert_eq!(RuleForm::of(&name, &rule).rule(), Ok(rule));
        }
    }

    #[test]
    fn what_a_new_rule_begins_with_can_be_tried_and_needs_a_title_and_a_name() {
        let form = RuleForm::default();
        assert!(form.tried().is_ok());
        assert_eq!(form.rule().unwrap_err().field.as_deref(), Some("title"));
        let titled = RuleForm { title: "x".into(), ..form };
        assert_eq!(titled.named().unwrap_err().field.as_deref(), Some("name"));
        for kind in Kind::ALL {
            let mut form = RuleForm::default();
            form.set_kind(kind);
            assert!(form.tried().is_ok(), "{kind:?}");
        }
    }

    #[test]
    fn what_the_node_would_refuse_is_said_before_it_is_sent() {
        let field = |change: fn(&mut RuleForm)| {
            let mut form = RuleForm::of("errors", &full());
            change(&mut form);
            form.named().unwrap_err().field.unwrap()
        };
        assert_eq!(field(|form| form.filter = "(a OR".into()), "filter");
        assert_eq!(field(|form| form.condition.of = "| stats".into()), "of");
        assert_eq!(field(|form| form.window = "1s".into()), "window_secs");
        assert_eq!(field(|form| form.labels = vec!["team".into()]), "labels");
        assert_eq!(field(|form| form.template = "{{nothing}}".into()), "template");
        assert_eq!(field(|form| form.name = "Up Case".into()), "name");
    }

    #[test]
    fn names_follow_from_titles_and_copies_are_told_apart() {
        assert_eq!(
            ["Error spike!", "  ", "p95 > 1s", "Größe"].map(name_of),
            ["error-spike", "", "p95-1s", "gr-e"]
        );
        let copy = RuleForm::of("slow", &full()).copied(&["slow".into(), "slow-copy".into()]);
        assert_eq!((copy.name.as_str(), copy.title.as_str()), ("slow-copy-2", "Errors (copy)"));
    }
}
