//! What was seen when a rule was found broken: the figure, what is normal, since when, and what may be behind it.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Evidence {
    /// What is measured, as a person says it: `Errors/min`.
    pub measure: String,
    pub observed: f64,
    /// The group's own normal, where the rule knows one.
    pub normal: Option<f64>,
    /// Beyond this it is wrong.
    pub threshold: f64,
    /// The window that was looked at; `to` is not part of it.
    pub from: Timestamp,
    pub to: Timestamp,
    /// The records it was seen in, in the query language.
    pub query: String,
    /// The kind of message that grew most.
    pub cause: Option<String>,
    /// How the threshold came about, in a line.
    pub because: String,
}
