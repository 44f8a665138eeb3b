//! What a person says of an episode.

use serde::{Deserialize, Serialize};

/// See the module's documentation; the order of the variants is the disk form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Something was wrong.
    Real,
    FalseAlarm,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Real => "real",
            Verdict::FalseAlarm => "false_alarm",
        }
    }
}
