//! Where the reader is: page, mode and filter, as the address bar spells them. A copied address shows
//! the same thing to a colleague.

use super::filter::{Filter, Range};
use super::url;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    #[default]
    Live,
    DeadLetters,
    Cluster,
}

impl Page {
    pub const ALL: [Page; 3] = [Page::Live, Page::DeadLetters, Page::Cluster];

    pub fn path(self) -> &'static str {
        match self {
            Page::Live => "/",
            Page::DeadLetters => "/dead-letters",
            Page::Cluster => "/cluster",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Page::Live => "Logs",
            Page::DeadLetters => "Dead letters",
            Page::Cluster => "Cluster",
        }
    }

    /// The page of a path; an unknown path is the first page.
    pub fn from_path(path: &str) -> Page {
        let path = path.trim_end_matches('/');
        Page::ALL.into_iter().find(|page| page.path() == path).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Records as they arrive.
    #[default]
    Live,
    /// Stored records, newest first.
    Search,
}

/// What the Live page shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    pub mode: Mode,
    pub filter: Filter,
}

impl View {
    pub fn from_query(text: &str) -> View {
        let mut view = View::default();
        for (name, value) in url::decode(text) {
            match name.as_str() {
                "mode" if value == "search" => view.mode = Mode::Search,
                "q" => view.filter.text = value,
                "service" => view.filter.service = value,
                "level" => {
                    view.filter.levels = value.split(',').filter_map(|name| name.parse().ok()).collect();
                    view.filter.levels.sort_unstable();
                    view.filter.levels.dedup();
                }
                "range" => view.filter.range = Range::from_name(&value).unwrap_or_default(),
                _ => {}
            }
        }
        view
    }

    /// The query string without `?`; only what differs from the start state, to keep addresses short.
    pub fn to_query(&self) -> String {
        let filter = &self.filter;
        let mut pairs = Vec::new();
        if self.mode == Mode::Search {
            pairs.push(("mode", "search".to_owned()));
        }
        if !filter.text.trim().is_empty() {
            pairs.push(("q", filter.text.trim().to_owned()));
        }
        if !filter.service.is_empty() {
            pairs.push(("service", filter.service.clone()));
        }
        if !filter.levels.is_empty() {
            let names: Vec<&str> = filter.levels.iter().map(|level| level.name()).collect();
            pairs.push(("level", names.join(",")));
        }
        if filter.range != Range::default() {
            pairs.push(("range", filter.range.name().to_owned()));
        }
        url::encode(&pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::logs::Level;

    #[test]
    fn a_copied_address_shows_the_same_view() {
        let view = View {
            mode: Mode::Search,
            filter: Filter {
                text: "\"card declined\" userId:7".to_owned(),
                service: "payment".to_owned(),
                levels: vec![Level::Warn, Level::Error],
                range: Range::Hour,
            },
        };
        assert_eq!(View::from_query(&view.to_query()), view);
        assert_eq!(View::default().to_query(), "");
    }

    #[test]
    fn an_address_nobody_wrote_is_the_start_view() {
        assert_eq!(View::from_query("?level=loud&range=never&mode=x&utm=1"), View::default());
        assert_eq!(Page::from_path("/nowhere"), Page::Live);
        assert_eq!(Page::from_path("/cluster/"), Page::Cluster);
    }
}
