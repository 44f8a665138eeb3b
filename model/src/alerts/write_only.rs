//! A secret that goes in and never comes out: people read `(set)`, only the disk form and the wire between nodes hold it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is shown instead; sent back it means: as it was.
const SHOWN: &str = "(set)";

/// A password, a token, an address that is a password.
#[derive(Clone, PartialEq, Eq)]
pub struct WriteOnly(String);

impl WriteOnly {
    pub fn new(text: impl Into<String>) -> WriteOnly {
        WriteOnly(text.into())
    }

    /// The text itself, for the one place that hands it over.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// It came back as it was shown: whoever sent it has not seen it and does not change it.
    pub fn is_shown_form(&self) -> bool {
        self.0 == SHOWN
    }
}

impl fmt::Debug for WriteOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHOWN)
    }
}

impl Serialize for WriteOnly {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_for_people = serializer.is_human_readable();
        serializer.serialize_str(if is_for_people { SHOWN } else { &self.0 })
    }
}

impl<'de> Deserialize<'de> for WriteOnly {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WriteOnly, D::Error> {
        String::deserialize(deserializer).map(WriteOnly)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn people_and_logs_never_see_it() {
        let secret: WriteOnly = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(secret.reveal(), "hunter2");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"(set)\"");
        assert_eq!(format!("{secret:?} {:#?}", Some(&secret)).matches("hunter2").count(), 0);
        let back: WriteOnly = serde_json::from_str(&serde_json::to_string(&secret).unwrap()).unwrap();
        assert!(back.is_shown_form() && !secret.is_shown_form());
    }
}
