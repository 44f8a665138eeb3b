//! The pages, and places on them: what the address bar spells. A copied address shows the same thing to a colleague.

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    #[default]
    Home,
    Live,
    Explore,
    Analytics,
    Alerts,
    DeadLetters,
    Cluster,
    Admin,
    /// Every part of the screen in each of its states; in development builds.
    #[cfg(debug_assertions)]
    Components,
}

impl Page {
    /// Those of the navigation, in its order.
    pub const ALL: [Page; 8] = [
        Page::Home,
        Page::Live,
        Page::Explore,
        Page::Analytics,
        Page::Alerts,
        Page::DeadLetters,
        Page::Cluster,
        Page::Admin,
    ];

    pub fn path(self) -> &'static str {
        match self {
            Page::Home => "/",
            Page::Live => "/live",
            Page::Explore => "/explore",
            Page::Analytics => "/analytics",
            Page::Alerts => "/alerts",
            Page::DeadLetters => "/dead-letters",
            Page::Cluster => "/cluster",
            Page::Admin => "/admin",
            #[cfg(debug_assertions)]
            Page::Components => "/dev/components",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Page::Home => "Home",
            Page::Live => "Live",
            Page::Explore => "Explore",
            Page::Analytics => "Analytics",
            Page::Alerts => "Alerts",
            Page::DeadLetters => "Dead letters",
            Page::Cluster => "Cluster",
            Page::Admin => "Admin",
            #[cfg(debug_assertions)]
            Page::Components => "Components",
        }
    }

    /// The key that opens it, after `g`.
    pub fn key(self) -> Option<&'static str> {
        match self {
            Page::Home => Some("h"),
            Page::Live => Some("l"),
            Page::Explore => Some("e"),
            Page::Analytics => Some("a"),
            Page::Alerts => Some("r"),
            Page::DeadLetters => Some("d"),
            Page::Cluster => Some("c"),
            Page::Admin => Some("m"),
            #[cfg(debug_assertions)]
            Page::Components => None,
        }
    }

    /// The page of a path; an unknown path is the first page.
    pub fn from_path(path: &str) -> Page {
        let path = path.trim_end_matches('/');
        #[cfg(debug_assertions)]
        if path == Page::Components.path() {
            return Page::Components;
        }
        Page::ALL.into_iter().find(|page| page.path() == path).unwrap_or_default()
    }

    pub fn from_key(key: &str) -> Option<Page> {
        Page::ALL.into_iter().find(|page| page.key() == Some(key))
    }
}

/// A page and what it shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub page: Page,
    /// Query string without `?`.
    pub query: String,
}

impl Place {
    pub fn of(page: Page) -> Place {
        Place { page, query: String::new() }
    }

    pub fn address(&self) -> String {
        let path = self.page.path();
        if self.query.is_empty() { path.to_owned() } else { format!("{path}?{}", self.query) }
    }
}

/// What a page shows, as the query string of its address spells it. Reading what it has written gives the same; what nobody
/// wrote is read as if it were not there.
pub trait View: Clone + PartialEq + 'static {
    const PAGE: Page;

    /// `text` with or without a leading `?`.
    fn from_query(text: &str) -> Self;

    /// Without `?`; only what differs from the start, to keep addresses short.
    fn to_query(&self) -> String;

    fn place(&self) -> Place {
        Place { page: Self::PAGE, query: self.to_query() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_found_by_its_path_and_its_key() {
        for page in Page::ALL {
            assert_eq!(Page::from_path(page.path()), page);
            assert_eq!(page.key().and_then(Page::from_key), Some(page));
        }
        assert_eq!(Page::from_path("/cluster/"), Page::Cluster);
        assert_eq!(Page::from_path("/nowhere"), Page::Home);
    }
}
