//! What the Alerts page is made of.

pub mod channel_fields;
pub mod channel_table;
pub mod condition_fields;
pub mod delivery_table;
pub mod incident_facts;
pub mod incident_table;
pub mod marks;
pub mod preview;
pub mod rule_fields;
pub mod rule_table;
pub mod silence_fields;
pub mod silence_table;
pub mod timeline;
