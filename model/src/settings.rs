//! What an operator may set: a struct whose fields say once what they mean, their default, what they may hold and an example.
//!
//! The checks of a configuration and its reference are made from that. Knows no file, no environment and no section by name.

use serde::Serialize;
use serde_json::Value;

/// What a setting may hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// A whole number between two, both included.
    Integer(i64, i64),
    /// Text of one to so many bytes, without control characters.
    Text(usize),
    OneOf(&'static [&'static str]),
    /// An IP address and a port.
    Address,
}

/// One line of a section.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub name: &'static str,
    pub about: &'static str,
    pub range: Range,
    /// Null where nothing is set.
    pub default: fn() -> Value,
    /// As it would stand in the file, where the default is no example.
    pub like: Option<&'static str>,
}

/// Settings that stand together.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    pub name: &'static str,
    pub about: &'static str,
    pub settings: &'static [Setting],
}

impl Setting {
    /// A value as it would stand in the file.
    pub fn example(&self) -> String {
        self.like.map_or_else(|| (self.default)().to_string(), str::to_owned)
    }
}

/// For [`settings!`]: the default as the reference shows it.
pub fn shown(default: &impl Serialize) -> Value {
    serde_json::to_value(default).unwrap_or_default()
}

/// A struct with its `Default`, and all that is known of its fields as `SECTION`.
///
/// Each field is `name: Type = default, range;`, with `, like "example"` before the semicolon where the default is none.
#[macro_export]
macro_rules! settings {
    (
        $section:literal;
        $(#[doc = $section_about:literal])+
        $visibility:vis struct $name:ident {
            $(
                $(#[doc = $about:literal])+
                $field:ident: $type:ty = $default:expr, $range:expr $(, like $example:literal)?;
            )+
        }
    ) => {
        $(#[doc = $section_about])+
        #[derive(Clone, Debug, PartialEq, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        $visibility struct $name {
            $( $(#[doc = $about])+ $visibility $field: $type, )+
        }

        impl Default for $name {
            fn default() -> Self {
                $name { $( $field: $default, )+ }
            }
        }

        impl $name {
            $visibility const SECTION: $crate::settings::Section = $crate::settings::Section {
                name: $section,
                about: concat!($($section_about),+),
                settings: &[$(
                    $crate::settings::Setting {
                        name: stringify!($field),
                        about: concat!($($about),+),
                        range: $range,
                        default: || {
                            let default: $type = $default;
                            $crate::settings::shown(&default)
                        },
                        like: $crate::settings!(@like $($example)?),
                    },
                )+],
            };
        }
    };
    (@like) => { None };
    (@like $example:literal) => { Some($example) };
}

#[cfg(test)]
mod tests {
    use super::Range::{Integer, Text};

    settings! {
        "door";
        /// Who comes in,
        /// and how.
        struct Door {
            /// How many at once.
            guests_max: u16 = 3 << 2, Integer(1, 100);
            /// What it says.
            sign: Option<String> = None, Text(20), like "\"closed\"";
        }
    }

    #[test]
    fn a_field_says_everything_once() {
        let Door { guests_max, sign } = Door::default();
        assert_eq!((guests_max, sign), (12, None));
        assert_eq!((Door::SECTION.name, Door::SECTION.about), ("door", " Who comes in, and how."));
        let [guests, sign] = Door::SECTION.settings else { panic!("two settings") };
        assert_eq!(
            (guests.name, guests.range, guests.example()),
            ("guests_max", Integer(1, 100), "12".to_owned())
        );
        assert_eq!(
            (sign.about, sign.range, sign.example()),
            (" What it says.", Text(20), "\"closed\"".to_owned())
        );
        assert!((sign.default)().is_null());
    }

    #[test]
    fn what_is_left_out_has_its_default_and_what_is_unknown_is_refused() {
        assert_eq!(serde_json::from_str::<Door>("{\"sign\": \"open\"}").unwrap().guests_max, 12);
        assert!(serde_json::from_str::<Door>("{\"guest_max\": 3}").is_err());
    }
}
