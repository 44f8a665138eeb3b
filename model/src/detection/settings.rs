//! What people may say about detection: a setting of the whole cluster.

use serde::{Deserialize, Serialize};

/// What detectors are told. Every partition takes it from its log, so that all replicas heed it from the same record on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct DetectionSettings {
    /// Counts changes. Who changes settings says which they have seen: those of somebody else are never overwritten unseen.
    pub revision: u64,
    /// Regular expressions whose matches are variable parts of messages (order numbers of letters, names of tenants),
    /// beside what is known to be variable anyway. They change what templates look like from then on.
    pub masks: Vec<String>,
    /// Alerts a service may raise a day on the average: with more, thresholds rise.
    pub alerts_per_day: f64,
}

impl Default for DetectionSettings {
    fn default() -> DetectionSettings {
        DetectionSettings {
            revision: 0,
            masks: Vec::new(),
            alerts_per_day: DetectionSettings::ALERTS_PER_DAY,
        }
    }
}

impl DetectionSettings {
    /// Where nobody said otherwise: one in five days.
    pub const ALERTS_PER_DAY: f64 = 0.2;
    /// One in a hundred days, and one every hour.
    pub const ALERTS_PER_DAY_RANGE: (f64, f64) = (0.01, 24.0);
    /// Each is a pass over each message.
    pub const MASKS_MAX: usize = 32;
    /// Longer ones are a mistake.
    pub const MASK_BYTES_MAX: usize = 1_024;

    /// The field that cannot be so, and why. Whether a mask can be compiled is for who compiles it.
    pub fn problem(&self) -> Option<(&'static str, String)> {
        let (least, most) = DetectionSettings::ALERTS_PER_DAY_RANGE;
        if !(least..=most).contains(&self.alerts_per_day) {
            return Some((
                "alerts_per_day",
                format!("{} a day: it must be {least} to {most}", self.alerts_per_day),
            ));
        }
        if self.masks.len() > DetectionSettings::MASKS_MAX {
            return Some((
                "masks",
                format!("{} masks, at most {} are taken", self.masks.len(), DetectionSettings::MASKS_MAX),
            ));
        }
        let is_long = |mask: &String| mask.len() > DetectionSettings::MASK_BYTES_MAX;
        let number = self.masks.iter().position(is_long)? + 1;
        Some(("masks", format!("mask {number} is longer than {} bytes", DetectionSettings::MASK_BYTES_MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_named() {
        let settings = DetectionSettings::default();
        assert_eq!(settings.problem(), None);
        for wrong in [0.0, -1.0, 25.0, f64::NAN, f64::INFINITY] {
            let settings = DetectionSettings { alerts_per_day: wrong, ..settings.clone() };
            assert_eq!(settings.problem().map(|(field, _)| field), Some("alerts_per_day"), "{wrong}");
        }
        let many = DetectionSettings { masks: vec!["a".into(); 33], ..settings.clone() };
        assert!(many.problem().unwrap().1.starts_with("33 masks"));
        let long = DetectionSettings { masks: vec!["a".into(), "b".repeat(1_025)], ..settings };
        assert_eq!(long.problem(), Some(("masks", "mask 2 is longer than 1024 bytes".to_owned())));
    }
}
