//! How long logs are kept, as it is typed; and what a change would delete.

use crate::api::settings::Retention;
use crate::state::forms::{self, Fault};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RetentionForm {
    /// Days; empty: for ever.
    pub default_days: String,
    /// Services that differ, and their days.
    pub services: Vec<(String, String)>,
}

impl RetentionForm {
    pub fn of(retention: &Retention) -> RetentionForm {
        RetentionForm {
            default_days: shown(retention.default_days),
            services: retention.services.iter().map(|(name, days)| (name.clone(), shown(*days))).collect(),
        }
    }

    pub fn retention(&self) -> Result<Retention, Fault> {
        let mut retention =
            Retention { default_days: days("default_days", &self.default_days)?, ..Retention::default() };
        for (name, text) in &self.services {
            let name = name.trim();
            if name.is_empty() {
                return Err(Fault::at("services", "Name the service, or take the line out."));
            }
            let days = days("services", text)?;
            if retention.services.insert(name.to_owned(), days).is_some() {
                return Err(Fault::at("services", format!("{name} stands there twice.")));
            }
        }
        match retention.problem() {
            Some(problem) => Err(Fault { field: None, ..Fault::at("", problem) }),
            None => Ok(retention),
        }
    }
}

fn shown(days: Option<u32>) -> String {
    days.map(|days| days.to_string()).unwrap_or_default()
}

fn days(field: &str, text: &str) -> Result<Option<u32>, Fault> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    forms::whole(field, text)
        .map(Some)
        .map_err(|_| Fault::at(field, "Give whole days, or nothing to keep for ever."))
}

/// `30 days`, or for ever.
pub fn length(days: Option<u32>) -> String {
    match days {
        None => "for ever".to_owned(),
        Some(1) => "1 day".to_owned(),
        Some(days) => format!("{days} days"),
    }
}

/// What is kept for less long than before, in words: that is what a change deletes.
pub fn losses(before: &Retention, after: &Retention) -> Vec<String> {
    let is_shorter = |before: Option<u32>, after: Option<u32>| {
        after.is_some_and(|after| before.is_none_or(|before| after < before))
    };
    let mut losses = Vec::new();
    if is_shorter(before.default_days, after.default_days) {
        losses.push(format!(
            "Records of every service without a time of its own that are older than {} (now kept {}).",
            length(after.default_days),
            length(before.default_days)
        ));
    }
    let mut names: Vec<&String> = before.services.keys().chain(after.services.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (was, will) = (before.days_of(name), after.days_of(name));
        if is_shorter(was, will) {
            losses.push(format!(
                "Records of {name} that are older than {} (now kept {}).",
                length(will),
                length(was)
            ));
        }
    }
    losses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retention(text: &str) -> Retention {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn settings_are_what_they_were_after_the_form() {
        for text in [
            r#"{"default_days":null,"services":{}}"#,
            r#"{"default_days":30,"services":{"audit":null,"shop":7}}"#,
        ] {
            assert_eq!(RetentionForm::of(&retention(text)).retention(), Ok(retention(text)));
        }
    }

    #[test]
    fn what_cannot_be_is_said() {
        let form = |default: &str, services: &[(&str, &str)]| RetentionForm {
            default_days: default.to_owned(),
            services: services.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
        };
        let field = |form: RetentionForm| form.retention().unwrap_err().field;
        assert_eq!(field(form("x", &[])).as_deref(), Some("default_days"));
        assert_eq!(field(form("", &[("", "1")])).as_deref(), Some("services"));
        assert_eq!(field(form("", &[("a", "1"), ("a ", "2")])).as_deref(), Some("services"));
        assert_eq!(field(form("0", &[])), None);
    }

    #[test]
    fn what_is_kept_shorter_is_named_and_nothing_else() {
        let before = retention(r#"{"default_days":30,"services":{"audit":null,"shop":7,"old":3}}"#);
        let after = retention(r#"{"default_days":30,"services":{"audit":365,"shop":14}}"#);
        assert_eq!(
            losses(&before, &after),
            ["Records of audit that are older than 365 days (now kept for ever)."]
        );
        assert!(losses(&after, &after).is_empty());
        let shorter = retention(r#"{"default_days":1,"services":{}}"#);
        assert_eq!(losses(&before, &shorter).len(), 4);
    }
}
