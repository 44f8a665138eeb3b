//! Light or dark: the system's choice until the reader chooses.

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    /// The name in local storage and in the document's `data-theme`.
    pub fn name(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    pub fn from_name(name: &str) -> Theme {
        match name {
            "light" => Theme::Light,
            "dark" => Theme::Dark,
            _ => Theme::System,
        }
    }

    /// What the toggle does: always a visible change, whatever the system prefers.
    pub fn toggled(self, system_is_dark: bool) -> Theme {
        let is_dark = self == Theme::Dark || (self == Theme::System && system_is_dark);
        if is_dark { Theme::Light } else { Theme::Dark }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_toggle_always_changes_what_is_seen() {
        assert_eq!(Theme::System.toggled(true), Theme::Light);
        assert_eq!(Theme::System.toggled(false), Theme::Dark);
        assert_eq!(Theme::Light.toggled(true), Theme::Dark);
        assert_eq!(Theme::from_name(Theme::Dark.name()), Theme::Dark);
    }
}
