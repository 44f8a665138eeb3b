//! What is asked of the identity provider: where its parts are (OpenID Connect Discovery 1.0), its keys, and who somebody is
//! that comes back with a code (RFC 6749 with PKCE, RFC 7636).

use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::BoxFuture;
use jsonwebtoken::jwk::JwkSet;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, StandardRevocableToken, StandardTokenResponse, TokenUrl,
};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::identity::{Identity, IdentityError, identity};
use crate::config::OidcConfig;

/// A provider that takes longer holds up the one who signs in, and nobody else.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// How long its keys and addresses are kept. A key that is not among them has them fetched anew; only the provider itself can bring
/// that about, as the token comes from it.
const KEPT_FOR: Duration = Duration::from_secs(3_600);
/// Where the provider sends people back to, behind the public address.
pub(super) const CALLBACK: &str = "/api/login/oidc/callback";

/// The provider of the configuration.
#[derive(Debug)]
pub struct Provider {
    config: OidcConfig,
    redirect: RedirectUrl,
    http: reqwest::Client,
    found: Mutex<Option<(Instant, Found)>>,
}

/// What it says of itself.
#[derive(Clone, Debug)]
struct Found {
    authorize: AuthUrl,
    token: TokenUrl,
    keys: JwkSet,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    authorization_endpoint: AuthUrl,
    token_endpoint: TokenUrl,
    jwks_uri: String,
}

/// A sign-in on its way: what the browser keeps until it comes back.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Attempt {
    state: String,
    nonce: String,
    verifier: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct IdToken {
    id_token: Option<String>,
}

impl ExtraTokenFields for IdToken {}

type OidcClient = Client<
    BasicErrorResponse,
    StandardTokenResponse<IdToken, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub(super) enum OidcError {
    #[error("the identity provider does not answer as it should: {0}")]
    Provider(String),
    #[error("the sign-in was begun elsewhere, or too long ago: begin again")]
    Stale,
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// For the transport of the OAuth library.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unanswered(String);

impl Provider {
    /// The provider that a checked configuration names, if it names one.
    pub fn new(config: &OidcConfig, public_url: &str) -> anyhow::Result<Option<Provider>> {
        if config.issuer.is_none() {
            return Ok(None);
        }
        let redirect = RedirectUrl::new(format!("{}{CALLBACK}", public_url.trim_end_matches('/')))?;
        // What it answers is looked at where it was asked, not where it says somebody else is.
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWER_WITHIN)
            .build()?;
        Ok(Some(Provider { config: config.clone(), redirect, http, found: Mutex::default() }))
    }

    pub(super) fn issuer(&self) -> &str {
        self.config.issuer.as_deref().unwrap_or_default()
    }

    /// Where the browser goes to sign in, and what it keeps meanwhile.
    pub(super) async fn begin(&self) -> Result<(String, Attempt), OidcError> {
        let found = self.found(KEPT_FOR).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = CsrfToken::new_random().into_secret();
        let client = self.client(found);
        let asked = client.authorize_url(CsrfToken::new_random);
        let scopes = self.config.scopes().split_whitespace().map(|scope| Scope::new(scope.to_owned()));
        let asked = asked.add_scopes(scopes).add_extra_param("nonce", nonce.clone());
        let (url, state) = asked.set_pkce_challenge(challenge).url();
        let attempt = Attempt { state: state.into_secret(), nonce, verifier: verifier.into_secret() };
        Ok((url.to_string(), attempt))
    }

    /// Who comes back with this code and state.
    pub(super) async fn finish(
        &self,
        attempt: Attempt,
        code: String,
        state: &str,
    ) -> Result<Identity, OidcError> {
        use subtle::ConstantTimeEq;
        if !bool::from(attempt.state.as_bytes().ct_eq(state.as_bytes())) {
            return Err(OidcError::Stale);
        }
        let found = self.found(KEPT_FOR).await?;
        let client = self.client(found.clone());
        let exchange = client
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier));
        // The library's error may quote the answer, which may quote the secret.
        let answer = exchange.request_async(self).await;
        let answer = answer.map_err(|_| OidcError::Provider("it gave no token for the code".to_owned()))?;
        let token = answer.extra_fields().id_token.as_deref();
        let token = token.ok_or_else(|| OidcError::Provider("it gave no ID token".to_owned()))?;
        match identity(token, &found.keys, &self.config, &attempt.nonce) {
            Err(IdentityError::UnknownKey) => {
                let found = self.found(Duration::ZERO).await?;
                Ok(identity(token, &found.keys, &self.config, &attempt.nonce)?)
            }
            other => Ok(other?),
        }
    }

    fn client(&self, found: Found) -> OidcClient {
        let id = ClientId::new(self.config.client_id.clone().unwrap_or_default());
        let client = Client::new(id);
        let client = match &self.config.client_secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.reveal().to_owned())),
            None => client,
        };
        let client = client.set_auth_uri(found.authorize).set_token_uri(found.token);
        client.set_redirect_uri(self.redirect.clone())
    }

    /// What the provider says of itself, not older than this.
    async fn found(&self, no_older_than: Duration) -> Result<Found, OidcError> {
        if let Some((at, found)) = &*self.found.lock()
            && at.elapsed() < no_older_than
        {
            return Ok(found.clone());
        }
        let issuer = self.issuer();
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let discovery: Discovery = self.get(&address).await?;
        if discovery.issuer != issuer {
            return Err(OidcError::Provider(format!("it calls itself {:?}", discovery.issuer)));
        }
        let found = Found {
            authorize: discovery.authorization_endpoint,
            token: discovery.token_endpoint,
            keys: self.get(&discovery.jwks_uri).await?,
        };
        *self.found.lock() = Some((Instant::now(), found.clone()));
        Ok(found)
    }

    async fn get<T: DeserializeOwned>(&self, address: &str) -> Result<T, OidcError> {
        let failed = |reason: String| OidcError::Provider(format!("{address}: {reason}"));
        let answer = self.http.get(address).send().await.map_err(|error| failed(error.to_string()))?;
        if !answer.status().is_success() {
            return Err(failed(format!("status {}", answer.status())));
        }
        let body = body_of(answer).await.map_err(|error| failed(error.0))?;
        serde_json::from_slice(&body).map_err(|error| failed(error.to_string()))
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
        let request = reqwest::Request::try_from(request).map_err(|error| Unanswered(error.to_string()))?;
        let answer = self.http.execute(request).await.map_err(|error| Unanswered(error.to_string()))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut response = HttpResponse::new(body_of(answer).await?);
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Provider {
    type Error = Unanswered;
    type Future = BoxFuture<'c, Result<HttpResponse, Unanswered>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.exchange(request))
    }
}

async fn body_of(answer: reqwest::Response) -> Result<Vec<u8>, Unanswered> {
    let mut body = Vec::new();
    let mut parts = answer.bytes_stream();
    while let Some(part) = parts.next().await {
        body.extend_from_slice(&part.map_err(|error| Unanswered(error.to_string()))?);
        if body.len() > ANSWER_BYTES_MAX {
            return Err(Unanswered("the answer is too long".to_owned()));
        }
    }
    Ok(body)
}
