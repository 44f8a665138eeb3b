//! Saved views of the dashboard, which everybody sees: `GET /api/views`, `PUT|DELETE /api/views/{name}`.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::alerts::{Problem, check_name};
use crate::limits::{VIEW_ADDRESS_BYTES_MAX, VIEW_PAGE_BYTES_MAX, VIEW_TITLE_BYTES_MAX};

/// What `PUT` takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct View {
    /// For people; one line.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 200))]
    pub title: String,
    /// Which page it is of: `explore`, `live`.
    #[cfg_attr(feature = "schema", schema(pattern = "^[a-z0-9][a-z0-9_-]{0,31}$"))]
    pub page: String,
    /// The page's state, as the query string of its address says it.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_length = 4_096))]
    pub address: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Views {
    /// By name.
    pub views: Vec<ListedView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListedView {
    pub name: String,
    pub title: String,
    pub page: String,
    pub address: String,
    /// Who made it: they and admins may replace and remove it.
    pub made_by: String,
    pub changed_at: Timestamp,
}

impl View {
    /// What of it cannot be kept.
    pub fn check(&self) -> Result<(), Problem> {
        let bytes = 1..=VIEW_TITLE_BYTES_MAX;
        if !bytes.contains(&self.title.trim().len()) || self.title.chars().any(char::is_control) {
            let message = format!("must be one line of 1 to {VIEW_TITLE_BYTES_MAX} bytes");
            return Err(Problem::new("title", message));
        }
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        let begins_well = self.page.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if !begins_well || self.page.len() > VIEW_PAGE_BYTES_MAX || !self.page.bytes().all(is_plain) {
            let message = format!("must be a word of 1 to {VIEW_PAGE_BYTES_MAX} of a-z, 0-9, - and _");
            return Err(Problem::new("page", message));
        }
        if self.address.len() > VIEW_ADDRESS_BYTES_MAX {
            let message =
                format!("has {} bytes, at most {VIEW_ADDRESS_BYTES_MAX} are kept", self.address.len());
            return Err(Problem::new("address", message));
        }
        match self.address.chars().any(char::is_control) {
            true => Err(Problem::new("address", "must be a query string, without control characters")),
            false => Ok(()),
        }
    }
}

/// A view's name stands in addresses, like those of rules and silences.
pub fn check_view_name(name: &str) -> Result<(), Problem> {
    check_name("name", name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;

    fn view(title: &str, page: &str, address: &str) -> View {
        View { title: title.into(), page: page.into(), address: address.into() }
    }

    #[test]
    fn what_cannot_be_kept_is_said_with_its_field() {
        let long = |bytes: usize| "x".repeat(bytes);
        for (wrong, field) in [
            (view("", "live", ""), "title"),
            (view(" ", "live", ""), "title"),
            (view(&long(201), "live", ""), "title"),
            (view("two\nlines", "live", ""), "title"),
            (view("Slow", "", ""), "page"),
            (view("Slow", "Live", ""), "page"),
            (view("Slow", "../live", ""), "page"),
            (view("Slow", &long(33), ""), "page"),
            (view("Slow", "live", &long(4_097)), "address"),
            (view("Slow", "live", "q=\r\n"), "address"),
        ] {
            assert_eq!(wrong.check().unwrap_err().field, field, "{wrong:?}");
        }
        view(&long(200), &long(32), &long(4_096)).check().unwrap();
        assert_eq!(check_view_name("a b").unwrap_err().field, "name");
    }

    #[test]
    fn names_nobody_knows_are_passed_over() {
        let read: View =
            serde_json::from_str(r#"{"title": "Slow", "page": "explore", "colour": 1}"#).unwrap();
        assert_eq!(read, view("Slow", "explore", ""));
    }
}
