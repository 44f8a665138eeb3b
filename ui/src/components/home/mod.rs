//! Parts of Home: how things are in a sentence, figures, services, incidents, and what changed.

pub mod changes;
pub mod first_steps;
pub mod incidents;
pub mod segments;
pub mod services_table;
pub mod status_line;
pub mod tiles;
