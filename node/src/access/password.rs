//! Password hashes: Argon2id in PHC form.
//!
//! One hash takes 19 MiB and tens of milliseconds: callers bound how many run at once and keep them off
//! the async threads.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

/// What OWASP asks of Argon2id at least: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Random bytes that make equal passwords hash differently.
pub const SALT_BYTES: usize = 16;

/// A password that cannot be hashed.
#[derive(Debug, thiserror::Error)]
#[error("the password cannot be hashed: {0}")]
pub struct PasswordError(String);

/// The hash to store for a password. `salt` is random and used once.
pub fn hash(password: &str, salt: &[u8; SALT_BYTES]) -> Result<String, PasswordError> {
    let hash: PasswordHash = hasher()?
        .hash_password_with_salt(password.as_bytes(), salt)
        .map_err(|error| PasswordError(error.to_string()))?;
    Ok(hash.to_string())
}

/// True when `stored` is the hash of the password. Without a stored hash (no such user) it takes as
/// long and is false, so that the time tells nobody which users exist.
pub fn verify(password: &str, stored: Option<&str>) -> bool {
    let Some(stored) = stored else {
        drop(hash(password, &[0; SALT_BYTES]));
        return false;
    };
    // The cost is that of the stored hash; the comparison takes constant time.
    let Ok(stored) = PasswordHash::new(stored) else { return false };
    hasher().is_ok_and(|hasher| hasher.verify_password(password.as_bytes(), &stored).is_ok())
}

/// True when a stored hash was made at another cost than today's: hash again at the next sign-in.
pub fn is_outdated(stored: &str) -> bool {
    let Ok(stored) = PasswordHash::new(stored) else { return true };
    let cost = Params::try_from(&stored).map(|params| (params.m_cost(), params.t_cost(), params.p_cost()));
    stored.algorithm.as_str() != Algorithm::Argon2id.as_str() || cost != Ok((MEMORY_KIB, PASSES, LANES))
}

fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| PasswordError(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_is_right() {
        let stored = hash("correct horse", &[7; SALT_BYTES]).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(!stored.contains("horse"));
        assert!(verify("correct horse", Some(&stored)));
        for wrong in ["", "correct hors", "correct horse ", "Correct horse"] {
            assert!(!verify(wrong, Some(&stored)), "{wrong:?} was taken");
        }
        assert!(!verify("correct horse", None));
        assert!(!verify("correct horse", Some("no hash")));
    }

    #[test]
    fn equal_passwords_hash_differently() {
        assert_ne!(hash("same", &[1; SALT_BYTES]).unwrap(), hash("same", &[2; SALT_BYTES]).unwrap());
    }

    #[test]
    fn a_hash_of_another_cost_is_outdated() {
        assert!(!is_outdated(&hash("a", &[1; SALT_BYTES]).unwrap()));
        let params = Params::new(8 * 1024, 1, 1, None).unwrap();
        let weak: PasswordHash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_with_salt(b"a", &[1; SALT_BYTES])
            .unwrap();
        assert!(is_outdated(&weak.to_string()));
        assert!(verify("a", Some(&weak.to_string())));
        assert!(is_outdated("no hash"));
    }
}
