//! `GET /api/audit`: what people did to the cluster.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Timestamp;

/// One page of the trail, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Audit {
    pub entries: Vec<AuditEntry>,
    /// The number the next page begins with; `None` on the last one.
    pub next: Option<u64>,
}

/// Something a person did or tried to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Counts from 0 without a gap.
    pub number: u64,
    /// By the clock of the node that was asked.
    pub at: Timestamp,
    pub node: String,
    pub user: String,
    /// As `token.create`.
    pub action: String,
    pub target: String,
    pub detail: String,
    pub outcome: Outcome,
    /// SHA-256 of the hash before and of every other field.
    #[serde(with = "hex_hash")]
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub hash: [u8; 32],
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    NotFound,
    LimitReached,
    /// Something else is so: a name that is taken, a last admin, settings that somebody else changed.
    Refused,
}

impl Outcome {
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::NotFound => "not found",
            Outcome::LimitReached => "limit reached",
            Outcome::Refused => "refused",
        }
    }
}

/// The first entry that cannot be what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {number} was changed, or what came before it was changed, taken out or put in")]
pub struct Tampered {
    pub number: u64,
}

impl AuditEntry {
    /// The entry with its hash behind the one before.
    pub fn chained(self, before: &[u8; 32]) -> AuditEntry {
        let mut hash = Sha256::new();
        hash.update(before);
        hash.update(self.number.to_le_bytes());
        hash.update(self.at.0.to_le_bytes());
        for text in [&self.node, &self.user, &self.action, &self.target, &self.detail] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        hash.update([self.outcome as u8]);
        AuditEntry { hash: hash.finalize().into(), ..self }
    }
}

/// Whether entries that follow one another hold together. The first is taken for granted, unless it is the first of all.
pub fn verify(entries: &[AuditEntry]) -> Result<(), Tampered> {
    let first = entries.first().filter(|entry| entry.number == 0);
    if let Some(entry) = first.filter(|entry| entry.hash != (*entry).clone().chained(&[0; 32]).hash) {
        return Err(Tampered { number: entry.number });
    }
    let broken = entries.windows(2).find_map(|pair| {
        let [before, entry] = pair else { return None };
        let is_next = entry.number == before.number + 1;
        (!is_next || entry.hash != entry.clone().chained(&before.hash).hash).then_some(entry.number)
    });
    broken.map_or(Ok(()), |number| Err(Tampered { number }))
}

/// As 64 hex digits where people read it.
mod hex_hash {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            let text: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            return text.serialize(serializer);
        }
        hash.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 32]>::deserialize(deserializer);
        }
        let text = String::deserialize(deserializer)?;
        read(&text).ok_or_else(|| serde::de::Error::custom("a hash has 64 hex digits"))
    }

    fn read(text: &str) -> Option<[u8; 32]> {
        let mut hash = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (at, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<AuditEntry> {
        let mut before = [0; 32];
        let entry = |number| AuditEntry {
            number,
            at: Timestamp(1_000 + number as i64),
            node: "n1".into(),
            user: "root".into(),
            action: "user.create".into(),
            target: "eve".into(),
            detail: String::new(),
            outcome: Outcome::Done,
            hash: [0; 32],
        };
        (0..5)
            .map(|number| {
                let entry = entry(number).chained(&before);
                before = entry.hash;
                entry
            })
            .collect()
    }

    #[test]
    fn one_changed_byte_of_an_export_shows() {
        let text: String =
            entries().iter().map(|entry| serde_json::to_string(entry).unwrap() + "\n").collect();
        let read = |text: &str| -> Option<Vec<AuditEntry>> {
            text.lines().map(|line| serde_json::from_str(line).ok()).collect()
        };
        assert_eq!(verify(&read(&text).unwrap()), Ok(()));
        let mut changed = 0;
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
            let Some(found) = String::from_utf8(bytes).ok().and_then(|text| read(&text)) else { continue };
            // A moment is read in several spellings.
            if found == entries() {
                continue;
            }
            changed += 1;
            assert!(verify(&found).is_err(), "byte {at} may be changed");
        }
        assert!(changed > 300, "only {changed} changes could be read");
    }

    #[test]
    fn what_is_taken_out_or_moved_shows() {
        let entries = entries();
        assert_eq!(verify(&entries[2..]), Ok(()));
        let mut gap = entries.clone();
        gap.remove(2);
        assert_eq!(verify(&gap), Err(Tampered { number: 3 }));
        let mut moved = entries;
        moved.swap(1, 2);
        assert!(verify(&moved).is_err());
    }
}
