//! What people carry about and may not change: JSON Web Tokens (RFC 7519), signed with a key of the cluster by HS256 and by
//! nothing else. Who made one, whom it is for and when it ends are required (RFC 8725).

use insighthub_storage::control::SigningKey;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Ours are a few hundred bytes.
const TOKEN_BYTES_MAX: usize = 4_096;
/// How far the clocks of two nodes may be apart.
const LEEWAY_SECS: u64 = 5;

/// What a token is for; one that is for something else opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Requests of somebody who is signed in.
    Access,
    /// The way to the identity provider and back.
    SignIn,
}

impl Purpose {
    const fn audience(self) -> &'static str {
        match self {
            Purpose::Access => "insighthub",
            Purpose::SignIn => "insighthub-sign-in",
        }
    }
}

/// Why a token opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsigned {
    /// It was good, and its time is over.
    Expired,
    /// It is no token, not ours, changed, or for something else.
    Refused,
    /// The key of this number is not known; the token may be older than all keys, or newer than what was heard of them.
    UnknownKey(u64),
}

#[derive(Serialize, Deserialize)]
struct Claims<T> {
    /// The cluster.
    iss: String,
    aud: String,
    /// Seconds since 1970.
    iat: u64,
    exp: u64,
    #[serde(flatten)]
    content: T,
}

/// Signs `content` for a purpose, from `now` on (seconds since 1970). `None` only where the key cannot be used.
pub fn sign<T: Serialize>(
    key: &SigningKey,
    cluster: &str,
    purpose: Purpose,
    (now, life_secs): (u64, u64),
    content: T,
) -> Option<String> {
    let header = Header { kid: Some(key.number.to_string()), ..Header::new(Algorithm::HS256) };
    let (iss, aud) = (cluster.to_owned(), purpose.audience().to_owned());
    let claims = Claims { iss, aud, iat: now, exp: now.saturating_add(life_secs), content };
    let secret = EncodingKey::from_secret(&key.secret).ok()?;
    jsonwebtoken::encode(&header, &claims, &secret).ok()
}

/// The content of a token that is ours, for this purpose, and not over. `key` finds a key by its number.
pub fn read<T: DeserializeOwned>(
    token: &str,
    cluster: &str,
    purpose: Purpose,
    key: impl FnOnce(u64) -> Option<SigningKey>,
) -> Result<T, Unsigned> {
    let validation = validation(cluster, purpose);
    let claims = claims(token, &validation, key)?;
    Ok(claims.content)
}

/// The same of a token whose time may be over: enough to end what it belongs to.
pub fn read_late<T: DeserializeOwned>(
    token: &str,
    cluster: &str,
    purpose: Purpose,
    key: impl FnOnce(u64) -> Option<SigningKey>,
) -> Result<T, Unsigned> {
    let validation = Validation { validate_exp: false, ..validation(cluster, purpose) };
    Ok(claims(token, &validation, key)?.content)
}

fn validation(cluster: &str, purpose: Purpose) -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[cluster]);
    validation.set_audience(&[purpose.audience()]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.leeway = LEEWAY_SECS;
    validation.validate_nbf = true;
    validation
}

fn claims<T: DeserializeOwned>(
    token: &str,
    validation: &Validation,
    key: impl FnOnce(u64) -> Option<SigningKey>,
) -> Result<Claims<T>, Unsigned> {
    use jsonwebtoken::errors::ErrorKind;
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Unsigned::Refused);
    }
    // Only a number is taken from the header, and the algorithm is ours: what else it says is not looked at.
    let header = jsonwebtoken::decode_header(token).map_err(|_| Unsigned::Refused)?;
    let number = header.kid.and_then(|kid| kid.parse().ok()).ok_or(Unsigned::Refused)?;
    let secret = key(number).ok_or(Unsigned::UnknownKey(number))?.secret;
    let secret = DecodingKey::from_secret(&secret).map_err(|_| Unsigned::Refused)?;
    match jsonwebtoken::decode::<Claims<T>>(token, &secret, validation) {
        Ok(read) => Ok(read.claims),
        Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => Err(Unsigned::Expired),
        Err(_) => Err(Unsigned::Refused),
    }
}

#[cfg(test)]
#[path = "signed_tests.rs"]
mod tests;
