//! Conditions that can be answered of minute aggregates: those on service and level alone.

use insighthub_model::Level;
use insighthub_model::aggregate::MinuteKey;

use super::filter::Conditions;
use super::predicate::Predicate;
use super::value_test::Scratch;

/// Conditions on the keys of minute aggregates; the time range is left to the caller.
#[derive(Debug, Clone)]
pub struct MinuteFilter {
    predicate: Predicate,
    services: Vec<String>,
    levels: Vec<Level>,
}

impl MinuteFilter {
    /// `None` where a condition looks at more than service and level.
    pub fn of(conditions: &Conditions) -> Option<MinuteFilter> {
        let predicate = Predicate::new(&conditions.query.filter).ok().filter(is_of_keys)?;
        let (services, levels) = (conditions.services.clone(), conditions.levels.clone());
        Some(MinuteFilter { predicate, services, levels })
    }

    /// True where the records of this minute are meant, all of them.
    pub fn accepts(&self, key: &MinuteKey) -> bool {
        (self.services.is_empty() || self.services.contains(&key.service))
            && (self.levels.is_empty() || self.levels.contains(&key.level))
            && accepts(&self.predicate, key)
    }
}

fn is_of_keys(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Always | Predicate::OneOfServices(_) | Predicate::Service(_) | Predicate::Levels(_) => {
            true
        }
        Predicate::Not(inner) => is_of_keys(inner),
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().all(is_of_keys),
        _ => false,
    }
}

fn accepts(predicate: &Predicate, key: &MinuteKey) -> bool {
    match predicate {
        Predicate::OneOfServices(services) => services.contains(&key.service),
        Predicate::Service(test) => test.accepts_text(&key.service, &mut Scratch::default()),
        Predicate::Levels(mask) => mask >> key.level as u8 & 1 == 1,
        Predicate::Not(inner) => !accepts(inner, key),
        Predicate::And(parts) => parts.iter().all(|part| accepts(part, key)),
        Predicate::Or(parts) => parts.iter().any(|part| accepts(part, key)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use insighthub_model::query::parse;

    use super::*;

    fn filter(text: &str) -> Option<MinuteFilter> {
        MinuteFilter::of(&Conditions { query: parse(text).unwrap(), ..Conditions::default() })
    }

    #[test]
    fn service_and_level_alone_decide_of_minutes() {
        let key = |service: &str, level| MinuteKey { service: service.to_owned(), minute: 0, level };
        let filter = |text| filter(text).unwrap();
        assert!(filter("*").accepts(&key("api", Level::Info)));
        assert!(filter("service:API level:>=warn").accepts(&key("api", Level::Error)));
        assert!(!filter("service:api level:>=warn").accepts(&key("api", Level::Info)));
        assert!(filter("service:in(api, db) OR level:fatal").accepts(&key("web", Level::Fatal)));
        assert!(!filter("-service:a*").accepts(&key("api", Level::Fatal)));
        let both = Conditions {
            services: vec!["db".to_owned()],
            levels: vec![Level::Warn],
            ..Conditions::default()
        };
        let both = MinuteFilter::of(&both).unwrap();
        assert!(both.accepts(&key("db", Level::Warn)) && !both.accepts(&key("db", Level::Info)));
    }

    #[test]
    fn whatever_else_is_asked_needs_records() {
        for text in
            ["timeout", "service:api latency_ms:>5", "timestamp:>2026-01-01", "-userId:7", "is_anomaly:true"]
        {
            assert!(filter(text).is_none(), "{text}");
        }
    }
}
