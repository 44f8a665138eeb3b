//! Service tokens: `ihs_`, eight characters of id, `_`, 256 random bits in base64url.
//!
//! The id finds the token and may be shown; the secret is shown once and stored as its SHA-256. A hash
//! without salt or cost is enough: 256 random bits cannot be guessed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Secret;

/// Tells a service token from other bearer tokens, and to secret scanners what they found.
const PREFIX: &str = "ihs_";
const ID_CHARACTERS: usize = 8;
const SECRET_BYTES: usize = 32;
/// 32 characters that cannot be taken for one another.
const ID_ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Random bytes that [`make`] takes.
pub const RANDOM_BYTES: usize = ID_CHARACTERS + SECRET_BYTES;

/// A token just made. Its text is not kept anywhere.
#[derive(Debug, Clone)]
pub struct NewToken {
    pub id: String,
    pub text: Secret,
    pub secret_hash: [u8; 32],
}

/// Makes a token of random bytes.
pub fn make(random: &[u8; RANDOM_BYTES]) -> NewToken {
    let (id, secret) = random.split_at(ID_CHARACTERS);
    let letter = |byte: &u8| ID_ALPHABET.get(usize::from(byte % 32)).copied().map_or('a', char::from);
    let id: String = id.iter().map(letter).collect();
    let text = format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(secret));
    NewToken { id, text: Secret::new(text), secret_hash: hash(secret) }
}

/// True when a text wants to be a service token; whether it is one, [`read`] says.
pub fn is_service_token(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// The id of a token and the hash of its secret; `None` when the text is no token.
pub fn read(text: &str) -> Option<(String, [u8; 32])> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_at_checked(ID_CHARACTERS)?;
    if !id.bytes().all(|byte| ID_ALPHABET.contains(&byte)) {
        return None;
    }
    let secret = URL_SAFE_NO_PAD.decode(secret.strip_prefix('_')?).ok()?;
    (secret.len() == SECRET_BYTES).then(|| (id.to_owned(), hash(&secret)))
}

/// Compares two hashes in constant time.
pub fn same_hash(stored: &[u8; 32], found: &[u8; 32]) -> bool {
    stored.ct_eq(found).into()
}

fn hash(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn random() -> impl Strategy<Value = [u8; RANDOM_BYTES]> {
        proptest::collection::vec(any::<u8>(), RANDOM_BYTES)
            .prop_map(|bytes| <[u8; RANDOM_BYTES]>::try_from(bytes.as_slice()).unwrap())
    }

    #[test]
    fn a_token_has_the_form_people_were_told() {
        let token = make(&[0; RANDOM_BYTES]);
        assert_eq!(token.text.reveal(), format!("ihs_aaaaaaaa_{}", "A".repeat(43)));
        assert!(is_service_token(token.text.reveal()) && !is_service_token("eyJhbGciOi"));
        assert!(!format!("{token:?}").contains("ihs_"), "the secret is printed");
    }

    #[test]
    fn what_is_no_token_is_told() {
        let token = make(&[200; RANDOM_BYTES]);
        let text = token.text.reveal();
        for wrong in [
            "",
            "ihs_",
            "ihs_aaaaaaaa",
            "ihs_aaaaaaaa_",
            "ihs_aaaaaaé_AAAA",
            &text[1..],
            &text[..text.len() - 1],
            &format!("{text}A"),
            &format!("{text} "),
            &format!("{text}="),
            &text.replace("ihs_", "IHS_"),
            &format!("ihs_aaaaaaaa_{}", "A".repeat(42) + "B"),
            &format!("ihs_AAAAAAAA_{}", "A".repeat(43)),
        ] {
            assert_eq!(read(wrong), None, "{wrong:?} was taken");
        }
    }

    proptest! {
        #[test]
        fn a_token_reads_back_its_id_and_hash(random in random()) {
            let token = make(&random);
            let (id, secret_hash) = read(token.text.reveal()).unwrap();
            prop_assert_eq!(&id, &token.id);
            prop_assert!(same_hash(&token.secret_hash, &secret_hash));
        }

        #[test]
        fn another_secret_is_another_hash(random in random(), at in ID_CHARACTERS..RANDOM_BYTES, flip in 1u8..) {
            let mut other = random;
            other[at] ^= flip;
            prop_assert!(!same_hash(&make(&random).secret_hash, &make(&other).secret_hash));
        }
    }
}
