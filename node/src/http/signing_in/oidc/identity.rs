//! What an identity provider says of somebody: the ID token, checked (OpenID Connect Core 1.0, section 3.1.3.7), and who that
//! is here. Pure.

use insighthub_model::access::Role;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use crate::config::OidcConfig;
use crate::http::users::NAME_BYTES_MAX;

/// How far the provider's clock and ours may be apart.
const LEEWAY_SECS: u64 = 30;
const TOKEN_BYTES_MAX: usize = 64 << 10;

/// Somebody a provider vouches for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) subject: String,
    pub(super) role: Role,
}

/// Why a provider's word lets nobody in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum IdentityError {
    /// Perhaps the provider has made new keys since.
    #[error("the identity provider signed with a key it does not publish")]
    UnknownKey,
    #[error("the identity provider's answer does not hold: {0}")]
    Refused(String),
    #[error("the identity provider's answer has no {0:?}, which oidc.name_claim asks for")]
    NoName(String),
    #[error("you are in none of the groups that may sign in here")]
    NoGroup,
}

/// Checks an ID token: signed by the provider with a public key, made for us, for this sign-in, and not over.
pub(super) fn identity(
    token: &str,
    keys: &JwkSet,
    config: &OidcConfig,
    nonce: &str,
) -> Result<Identity, IdentityError> {
    let refused = |reason: &str| IdentityError::Refused(reason.to_owned());
    if token.len() > TOKEN_BYTES_MAX {
        return Err(refused("it is too long"));
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| refused("it is no token"))?;
    let key = match &header.kid {
        Some(kid) => keys.find(kid),
        None if keys.keys.len() == 1 => keys.keys.first(),
        None => None,
    };
    let key = key.ok_or(IdentityError::UnknownKey)?;
    let allowed = algorithms(key);
    if !allowed.contains(&header.alg) {
        return Err(refused("it is not signed as its key is to be used"));
    }
    let secret = DecodingKey::from_jwk(key).map_err(|_| refused("its key cannot be used"))?;
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[config.issuer.as_deref().unwrap_or_default()]);
    validation.set_audience(&[config.client_id.as_deref().unwrap_or_default()]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.leeway = LEEWAY_SECS;
    validation.validate_nbf = true;
    let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &secret, &validation)
        .map_err(|error| IdentityError::Refused(error.to_string()))?
        .claims;
    if text(&claims, "nonce") != Some(nonce) {
        return Err(refused("it is the answer to another sign-in"));
    }
    // A token for several audiences says whom it was given to.
    if let Some(party) = text(&claims, "azp")
        && Some(party) != config.client_id.as_deref()
    {
        return Err(refused("it was given to another client"));
    }
    who(&claims, config)
}

/// Never with a secret that is shared: whoever can check such a signature can make one.
fn algorithms(key: &Jwk) -> Vec<Algorithm> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    if key.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return Vec::new();
    }
    let of_kind: &[Algorithm] = match &key.algorithm {
        AlgorithmParameters::RSA(_) => &[RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(_) => &[ES256, ES384],
        AlgorithmParameters::OctetKeyPair(_) => &[EdDSA],
        _ => &[],
    };
    let named = key.common.key_algorithm.as_ref().map(|named| named.to_string().parse::<Algorithm>());
    match named {
        None => of_kind.to_vec(),
        Some(Ok(named)) if of_kind.contains(&named) => vec![named],
        Some(_) => Vec::new(),
    }
}

fn who(claims: &Map<String, Value>, config: &OidcConfig) -> Result<Identity, IdentityError> {
    let subject = text(claims, "sub").unwrap_or_default().to_owned();
    let claim = config.name_claim();
    let name = text(claims, claim).filter(|name| is_name(name));
    let name = name.ok_or_else(|| IdentityError::NoName(claim.to_owned()))?.to_owned();
    if claim == "email" && claims.get("email_verified") == Some(&Value::Bool(false)) {
        return Err(IdentityError::Refused("the e-mail address is not verified".to_owned()));
    }
    let groups = match claims.get(config.groups_claim()) {
        Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(group)) => vec![group.as_str()],
        _ => Vec::new(),
    };
    let is_in = |group: &Option<String>| group.as_deref().is_some_and(|group| groups.contains(&group));
    let role = if is_in(&config.admin_group) {
        Role::Admin
    } else if config.viewer_group.is_none() || is_in(&config.viewer_group) {
        Role::Viewer
    } else {
        return Err(IdentityError::NoGroup);
    };
    Ok(Identity { name, subject, role })
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && !name.chars().any(|letter| letter.is_control() || letter == ':')
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn config() -> OidcConfig {
        OidcConfig {
            issuer: Some("https://id.example.com".into()),
            client_id: Some("insighthub".into()),
            admin_group: Some("on-call".into()),
            viewer_group: Some("staff".into()),
            ..OidcConfig::default()
        }
    }

    fn said(claims: Value) -> Result<Identity, IdentityError> {
        who(claims.as_object().unwrap(), &config())
    }

    #[test]
    fn groups_decide_what_somebody_may_do() {
        let of = |groups: Value| said(json!({ "sub": "1", "email": "eve@example.com", "groups": groups }));
        assert_eq!(of(json!(["staff", "on-call"])).unwrap().role, Role::Admin);
        assert_eq!(of(json!("staff")).unwrap().role, Role::Viewer);
        assert_eq!(of(json!(["Staff", 7])), Err(IdentityError::NoGroup));
        assert_eq!(of(Value::Null), Err(IdentityError::NoGroup));
        let everybody = OidcConfig { viewer_group: None, ..config() };
        let claims = json!({ "sub": "1", "email": "eve@example.com" });
        assert_eq!(who(claims.as_object().unwrap(), &everybody).unwrap().role, Role::Viewer);
    }

    #[test]
    fn a_name_is_one_that_could_be_a_users() {
        for email in ["", "a:b", "a\r\nb", &"a".repeat(NAME_BYTES_MAX + 1)] {
            let found = said(json!({ "sub": "1", "email": email, "groups": "staff" }));
            assert_eq!(found, Err(IdentityError::NoName("email".into())), "{email:?}");
        }
        let unverified =
            said(json!({ "sub": "1", "email": "a@b.c", "email_verified": false, "groups": "staff" }));
        assert!(matches!(unverified, Err(IdentityError::Refused(_))), "{unverified:?}");
    }

    #[test]
    fn a_shared_secret_signs_for_nobody() {
        let key = |value: Value| serde_json::from_value::<Jwk>(value).unwrap();
        assert!(algorithms(&key(json!({ "kty": "oct", "k": "c2VjcmV0", "alg": "HS256" }))).is_empty());
        let point = |more: Value| {
            let mut key = json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" });
            key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            key
        };
        assert_eq!(algorithms(&key(point(json!({ "alg": "ES256" })))), [Algorithm::ES256]);
        assert!(algorithms(&key(point(json!({ "alg": "HS256" })))).is_empty());
        assert!(algorithms(&key(point(json!({ "use": "enc" })))).is_empty());
    }
}
