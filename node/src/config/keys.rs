//! The keys of the configuration, one by one: what each may hold, and how that is said.

use insighthub_model::settings::{Range, Section, Setting};

use super::sections::{NODE, SECTIONS};

/// One setting of one section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub section: &'static str,
    pub setting: &'static Setting,
}

pub(super) fn keys() -> impl Iterator<Item = Key> {
    SECTIONS.into_iter().flat_map(keys_of)
}

pub(super) fn keys_of(section: Section) -> impl Iterator<Item = Key> {
    section.settings.iter().map(move |setting| Key { section: section.name, setting })
}

impl Key {
    /// A node cannot be without it.
    pub(super) fn is_required(&self) -> bool {
        self.section == NODE && matches!(self.setting.name, "name" | "http")
    }

    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section, self.setting.name)
    }

    /// What the key may hold, as the end of "expected ...".
    pub(super) fn expected(&self) -> String {
        match self.setting.range {
            Range::Integer(min, max) => format!("a whole number from {min} to {max}"),
            Range::Text(bytes_max) => {
                format!("text in quotes of 1 to {bytes_max} bytes without control characters")
            }
            Range::OneOf(names) => {
                let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
                format!("one of {}", quoted.join(", "))
            }
            Range::Address => "an IP address and a port".to_owned(),
        }
    }

    pub(super) fn admits(&self, value: &toml::Value) -> bool {
        match (self.setting.range, value) {
            (Range::Integer(min, max), toml::Value::Integer(number)) => (min..=max).contains(number),
            (Range::Text(bytes_max), toml::Value::String(text)) => {
                (1..=bytes_max).contains(&text.len()) && !text.chars().any(char::is_control)
            }
            (Range::OneOf(names), toml::Value::String(text)) => names.contains(&text.as_str()),
            (Range::Address, toml::Value::String(text)) => text.parse::<std::net::SocketAddr>().is_ok(),
            _ => false,
        }
    }

    /// The value of a variable in the key's type; text where it is none, for the message.
    pub(super) fn value_of(&self, text: &str) -> toml::Value {
        match (self.setting.range, text.trim().parse()) {
            (Range::Integer(..), Ok(number)) => toml::Value::Integer(number),
            _ => toml::Value::String(text.to_owned()),
        }
    }
}
