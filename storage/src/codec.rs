//! The one place where values become disk bytes: bincode, a version byte first, a bound on what is read.
//!
//! bincode is frozen at 2.0.1; keeping it behind these two functions keeps a change of codec to one file.

use bincode::config::{Configuration, LittleEndian, Varint};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Largest value read back; larger ones are damage. A Raft entry is far below this.
const VALUE_BYTES_MAX: usize = 256 << 20;

const CONFIG: Configuration<LittleEndian, Varint, bincode::config::Limit<VALUE_BYTES_MAX>> =
    bincode::config::standard().with_limit::<VALUE_BYTES_MAX>();

/// Bytes that are no value of the expected type and version.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    #[error("the value is empty")]
    Empty,
    #[error("the value has format version {found}, this program reads version {expected}")]
    Version { found: u8, expected: u8 },
    #[error("the value cannot be read: {0}")]
    Decode(String),
    #[error("the value cannot be written: {0}")]
    Encode(String),
}

/// The bytes of a value, its format version first.
pub fn encode<T: Serialize>(version: u8, value: &T) -> Result<Vec<u8>, CodecError> {
    encode_sized(version, value, 0)
}

/// The same for a value whose size is nearly known: large ones are not copied while their bytes grow.
pub fn encode_sized<T: Serialize>(
    version: u8,
    value: &T,
    bytes_expected: usize,
) -> Result<Vec<u8>, CodecError> {
    let mut out = Vec::with_capacity(bytes_expected);
    out.push(version);
    bincode::serde::encode_into_std_write(value, &mut out, CONFIG)
        .map_err(|error| CodecError::Encode(error.to_string()))?;
    Ok(out)
}

/// The value of [`encode`]'s bytes, all of which must be used up.
pub fn decode<T: DeserializeOwned>(version: u8, bytes: &[u8]) -> Result<T, CodecError> {
    let (found, rest) = bytes.split_first().ok_or(CodecError::Empty)?;
    if *found != version {
        return Err(CodecError::Version { found: *found, expected: version });
    }
    let (value, used) = bincode::serde::decode_from_slice(rest, CONFIG)
        .map_err(|error| CodecError::Decode(error.to_string()))?;
    if used != rest.len() {
        return Err(CodecError::Decode(format!("{} bytes follow the value", rest.len() - used)));
    }
    Ok(value)
}

/// What is shared in memory, on disk as if it were not: `#[serde(with = "codec::shared")]`.
pub(crate) mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(
        value: &Arc<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        T::serialize(value, serializer)
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<T>, D::Error> {
        T::deserialize(deserializer).map(Arc::new)
    }
}
