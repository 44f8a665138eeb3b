//! How long records are kept: a setting of the whole cluster.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Days by the records' own time; `None` keeps for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Retention {
    pub default_days: Option<u32>,
    /// Services that differ from the default.
    pub services: BTreeMap<String, Option<u32>>,
}

impl Retention {
    /// Longest that can be set: a century is for ever.
    pub const DAYS_MAX: u32 = 36_500;
    /// Services that may differ: bounds what every partition repeats.
    pub const SERVICES_MAX: usize = 10_000;

    pub fn days_of(&self, service: &str) -> Option<u32> {
        self.services.get(service).copied().unwrap_or(self.default_days)
    }

    /// True where everything is kept for ever.
    pub fn is_unlimited(&self) -> bool {
        self.default_days.is_none() && self.services.values().all(Option::is_none)
    }

    /// Why these cannot be the settings.
    pub fn problem(&self) -> Option<String> {
        if self.services.len() > Retention::SERVICES_MAX {
            return Some(format!("at most {} services may differ from the default", Retention::SERVICES_MAX));
        }
        let mut all = self.services.values().copied().chain([self.default_days]).flatten();
        let wrong = all.find(|days| !(1..=Retention::DAYS_MAX).contains(days))?;
        Some(format!("{wrong} days: it must be 1 to {}, or null to keep for ever", Retention::DAYS_MAX))
    }

    /// The first moment that is kept.
    pub fn kept_from(days: Option<u32>, now: Timestamp) -> Timestamp {
        let Some(days) = days else { return Timestamp::MIN };
        Timestamp(now.0.saturating_sub(i64::from(days).saturating_mul(NANOS_PER_DAY)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_has_its_own_days_or_the_defaults() {
        let retention = Retention {
            default_days: Some(30),
            services: BTreeMap::from([("audit".into(), None), ("debug".into(), Some(1))]),
        };
        assert_eq!(["audit", "debug", "web"].map(|name| retention.days_of(name)), [None, Some(1), Some(30)]);
        assert_eq!(retention.problem(), None);
        let day = Timestamp(NANOS_PER_DAY);
        assert_eq!(Retention::kept_from(Some(1), day), Timestamp(0));
        assert_eq!(Retention::kept_from(None, day), Timestamp::MIN);
        assert!(Retention { default_days: Some(0), ..retention }.problem().is_some());
    }
}
