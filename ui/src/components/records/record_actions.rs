//! What a page lets the reader do with a record that is open.

use std::rc::Rc;

use yew::{Callback, Html};

use crate::api::record::Record;

#[derive(Clone, PartialEq)]
pub struct RecordActions {
    /// Only records with this field and value.
    pub on_include: Callback<(String, String)>,
    /// No records with it.
    pub on_exclude: Callback<(String, String)>,
    /// Show the field as a column, where there are columns.
    pub on_column: Option<Callback<String>>,
    /// The address of one record, by its log id.
    pub link: Option<Callback<String, String>>,
    /// Draws what happened around the record.
    pub around: Option<Callback<Rc<Record>, Html>>,
}
