//! A small identity provider: publishes its keys, sends everybody back with a code, and gives an ID token for the code where
//! the verifier of the sign-in fits (PKCE). It can be told to lie.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use parking_lot::Mutex;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

pub(crate) const CLIENT: &str = "insighthub";
pub(crate) const SECRET: &str = "a canary of a client secret";

/// What is changed in an ID token before it is signed, and by whom it is signed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lie {
    pub(crate) claims: Value,
    /// With a key that is not published, under the number of one that is.
    pub(crate) is_forged: bool,
}

#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    keys: Arc<Mutex<Keys>>,
    /// Who signs in next.
    person: Arc<Mutex<Value>>,
    lie: Arc<Mutex<Lie>>,
    /// By code: the challenge, the nonce and where the browser is to return.
    begun: Arc<Mutex<HashMap<String, HashMap<String, String>>>>,
}

struct Keys {
    number: u32,
    pair: KeyPair,
}

impl Keys {
    fn new(number: u32) -> Result<Keys> {
        Ok(Keys { number, pair: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)? })
    }

    fn sign(&self, claims: &Value) -> Result<String> {
        let header = Header { kid: Some(self.number.to_string()), ..Header::new(Algorithm::ES256) };
        let key = EncodingKey::from_ec_der(self.pair.serialized_der());
        Ok(jsonwebtoken::encode(&header, claims, &key)?)
    }
}

impl Provider {
    pub(crate) async fn start() -> Result<Provider> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let provider = Provider {
            address: listener.local_addr()?,
            keys: Arc::new(Mutex::new(Keys::new(1)?)),
            person: Arc::new(Mutex::new(Value::Null)),
            lie: Arc::default(),
            begun: Arc::default(),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(provider)
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn next_is(&self, person: Value) {
        *self.person.lock() = person;
    }

    pub(crate) fn lies(&self, lie: Lie) {
        *self.lie.lock() = lie;
    }

    /// From now on another key signs.
    pub(crate) fn change_keys(&self) -> Result<()> {
        let mut keys = self.keys.lock();
        *keys = Keys::new(keys.number + 1)?;
        Ok(())
    }

    fn id_token(&self, nonce: &str) -> Result<String> {
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        let mut claims = json!({
            "iss": self.issuer(), "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": nonce,
        });
        let lie = self.lie.lock().clone();
        let object = claims.as_object_mut().context("claims")?;
        for more in [&*self.person.lock(), &lie.claims] {
            object.extend(more.as_object().cloned().unwrap_or_default());
        }
        object.retain(|_, value| !value.is_null());
        let keys = self.keys.lock();
        if lie.is_forged {
            return Keys { number: keys.number, ..Keys::new(0)? }.sign(&claims);
        }
        keys.sign(&claims)
    }
}

async fn discovery(State(provider): State<Provider>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", provider.issuer());
    Json(json!({
        "issuer": provider.issuer(),
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/keys"),
    }))
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    let keys = provider.keys.lock();
    // An uncompressed point: 4, x, y.
    let point = keys.pair.public_key_raw();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let key = json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": keys.number.to_string(), "x": x, "y": y,
    });
    Json(json!({ "keys": [key] }))
}

/// The page on which people give their password: here everybody is let through at once.
async fn authorize(
    State(provider): State<Provider>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    let get = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let is_right = get("response_type") == "code"
        && get("client_id") == CLIENT
        && get("code_challenge_method") == "S256"
        && get("scope").split(' ').any(|scope| scope == "openid")
        && get("nonce").len() >= 16
        && get("state").len() >= 16;
    if !is_right {
        return (StatusCode::BAD_REQUEST, format!("{asked:?}")).into_response();
    }
    let code = format!("code-{}", provider.begun.lock().len());
    let back = format!("{}?code={code}&state={}", get("redirect_uri"), get("state"));
    provider.begun.lock().insert(code, asked);
    (StatusCode::FOUND, [(header::LOCATION, back)]).into_response()
}

async fn token(
    State(provider): State<Provider>,
    headers: axum::http::HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let get = |name: &str| form.get(name).cloned().unwrap_or_default();
    let begun = provider.begun.lock().remove(&get("code")).unwrap_or_default();
    let is = |name: &str, value: &str| begun.get(name).is_some_and(|found| found == value);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(get("code_verifier")));
    let pair =
        base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT}:{}", SECRET.replace(' ', "+")));
    let by = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_right = get("grant_type") == "authorization_code"
        && is("code_challenge", &challenge)
        && is("redirect_uri", &get("redirect_uri"))
        && by == format!("Basic {pair}");
    if !is_right {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    }
    let nonce = begun.get("nonce").cloned().unwrap_or_default();
    match provider.id_token(&nonce) {
        Ok(token) => Json(json!({ "access_token": "unused", "token_type": "Bearer", "id_token": token }))
            .into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
