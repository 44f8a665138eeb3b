//! Attacks on tokens (RFC 8725): each is refused, and the honest one beside it is not.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use insighthub_model::Timestamp;
use insighthub_model::clock::Clock;
use serde_json::{Value, json};
use sha2::Sha256;

use super::*;
use crate::system_clock::SystemClock;

const CLUSTER: &str = "cluster-1";

fn key(number: u64) -> Option<SigningKey> {
    (1..=2).contains(&number).then_some(SigningKey {
        number,
        secret: [number as u8; 32],
        made_at: Timestamp(0),
    })
}

fn now() -> u64 {
    (SystemClock.now().0 / 1_000_000_000) as u64
}

fn honest(age: u64) -> String {
    sign(&key(1).unwrap(), CLUSTER, Purpose::Access, (now() - age, 300), json!({ "user": "eve" })).unwrap()
}

fn opens(token: &str) -> Result<Value, Unsigned> {
    read::<Value>(token, CLUSTER, Purpose::Access, key)
}

/// A token made by hand: any header, any claims, signed with some key.
fn forged(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn good_header() -> Value {
    json!({ "alg": "HS256", "typ": "JWT", "kid": "1" })
}

fn good_claims() -> Value {
    json!({ "iss": CLUSTER, "aud": "insighthub", "iat": now(), "exp": now() + 300, "user": "eve" })
}

fn with(mut value: Value, name: &str, changed: Option<Value>) -> Value {
    let object = value.as_object_mut().unwrap();
    match changed {
        Some(changed) => object.insert(name.into(), changed),
        None => object.remove(name),
    };
    value
}

#[test]
fn a_token_says_what_it_was_given_until_it_ends() {
    assert_eq!(opens(&honest(0)), Ok(json!({ "user": "eve" })));
    assert_eq!(opens(&honest(290)), Ok(json!({ "user": "eve" })));
    assert_eq!(opens(&honest(310)), Err(Unsigned::Expired));
    let late = read_late::<Value>(&honest(310), CLUSTER, Purpose::Access, key);
    assert_eq!(late, Ok(json!({ "user": "eve" })));
    assert_eq!(opens(&forged(&good_header(), &good_claims(), &[1; 32])), Ok(json!({ "user": "eve" })));
}

#[test]
fn what_is_for_something_else_opens_nothing() {
    let token =
        |cluster, purpose| sign(&key(1).unwrap(), cluster, purpose, (now(), 300), json!({ "user": "eve" }));
    assert!(opens(&token(CLUSTER, Purpose::Access).unwrap()).is_ok());
    assert_eq!(opens(&token("cluster-2", Purpose::Access).unwrap()), Err(Unsigned::Refused));
    assert_eq!(opens(&token(CLUSTER, Purpose::SignIn).unwrap()), Err(Unsigned::Refused));
}

#[test]
fn headers_that_ask_for_less_are_refused() {
    let none = with(good_header(), "alg", Some(json!("none")));
    let unsigned = forged(&none, &good_claims(), &[1; 32]);
    let stripped = format!("{}.", unsigned.rsplit_once('.').unwrap().0);
    let honest = honest(0);
    let mut refused = vec![unsigned, stripped, format!("{}.", honest.rsplit_once('.').unwrap().0)];
    for alg in ["None", "NONE", "nOnE", "HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA", ""] {
        let header = with(good_header(), "alg", Some(json!(alg)));
        refused.push(forged(&header, &good_claims(), &[1; 32]));
    }
    for kid in ["../1", "0", "3", "-1", "1 ", "/dev/null", "1' OR '1'='1", "18446744073709551616"] {
        let header = with(good_header(), "kid", Some(json!(kid)));
        // Signed with nothing, as it would be where a path leads to an empty file.
        refused.push(forged(&header, &good_claims(), b""));
        refused.push(forged(&header, &good_claims(), &[1; 32]));
    }
    refused.push(forged(&with(good_header(), "kid", None), &good_claims(), &[1; 32]));
    refused.push(forged(&with(good_header(), "kid", Some(json!("2"))), &good_claims(), &[1; 32]));
    for token in refused {
        assert!(matches!(opens(&token), Err(Unsigned::Refused | Unsigned::UnknownKey(0 | 3))), "{token}");
    }
}

#[test]
fn keys_that_a_header_brings_along_are_not_looked_at() {
    for (name, value) in [
        ("jku", json!("http://evil.example/keys")),
        ("x5u", json!("http://evil.example/cert")),
        ("jwk", json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode([9; 32]) })),
    ] {
        let header = with(good_header(), name, Some(value));
        assert_eq!(opens(&forged(&header, &good_claims(), &[9; 32])), Err(Unsigned::Refused), "{name}");
    }
}

#[test]
fn claims_that_are_missing_or_of_another_form_are_refused() {
    let refused = [
        ("exp", None),
        ("exp", Some(json!((now() + 300).to_string()))),
        ("exp", Some(json!(true))),
        ("exp", Some(json!(-1))),
        ("exp", Some(json!([now() + 300]))),
        ("exp", Some(json!(1e300))),
        ("nbf", Some(json!(now() + 600))),
        ("nbf", Some(json!("soon"))),
        ("iss", None),
        ("iss", Some(json!("cluster-2"))),
        ("iss", Some(json!(7))),
        ("aud", None),
        ("aud", Some(json!("insighthub-sign-in"))),
        ("aud", Some(json!({}))),
        ("iat", None),
    ];
    for (name, value) in refused {
        let claims = with(good_claims(), name, value.clone());
        let found = opens(&forged(&good_header(), &claims, &[1; 32]));
        assert_eq!(found, Err(Unsigned::Refused), "{name}: {value:?}");
    }
    let over = with(good_claims(), "exp", Some(json!(0)));
    assert_eq!(opens(&forged(&good_header(), &over, &[1; 32])), Err(Unsigned::Expired));
}

#[test]
fn what_is_no_token_is_refused_at_once() {
    let honest = honest(0);
    let long = format!("{honest}{}", "A".repeat(1 << 20));
    let twice = format!("{honest}.{honest}");
    let padded = format!("{honest}=");
    for token in ["", ".", "..", "...", "a.b.c", "{}.{}.{}", &honest[1..], &long, &twice, &padded] {
        assert_eq!(opens(token), Err(Unsigned::Refused), "{}", &token[..token.len().min(99)]);
    }
    for at in 0..honest.len() {
        let mut changed = honest.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(opens(&String::from_utf8(changed).unwrap()).is_err(), "byte {at}");
    }
}
