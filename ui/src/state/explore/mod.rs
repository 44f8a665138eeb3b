//! What the Explore page shows and works out.

pub mod against;
pub mod around;
pub mod bars;
pub mod brush;
pub mod facets;
pub mod group;
pub mod history;
pub mod known;
pub mod pattern;
pub mod pattern_course;
pub mod question;
pub mod series;
pub mod table;
pub mod view;
pub mod view_name;

pub use view::{ExploreView, Selection, Tab};
