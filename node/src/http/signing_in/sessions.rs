//! Sessions: how they are opened, what their holder carries, and how that is made anew.

use insighthub_storage::control::{
    ACCESS_SECS, AddSigningKey, ControlCommand, ControlReply, KEY_LIFE_SECS, Session, SessionCommand,
    SessionId, SigningKey, UserCommand,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::access::signed::{self, Purpose, Unsigned};
use crate::access::{Secret, hex, unhex};
use crate::http::caller::Viewer;
use crate::http::{ApiError, AppState, Node};

/// A session of somebody who gave a password ends after this long, however much it is used.
pub(super) const LIFE_SECS: u64 = 7 * 86_400;
/// One that a provider vouched for ends sooner: the provider is asked again whether it still does.
pub(super) const PROVIDED_LIFE_SECS: u64 = 86_400;

/// What the holder of a session carries.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) access: Secret,
    /// `None` where the one that was shown stays good.
    pub(super) refresh: Option<Secret>,
}

/// What an access token says.
#[derive(Serialize, Deserialize)]
struct Access {
    sub: String,
    /// The session's id.
    sid: String,
}

/// Opens a session for somebody who has proved who they are.
pub(super) async fn open(node: &AppState, user: &str, life_secs: u64) -> Result<Carried, ApiError> {
    let (id, secret) = (random::<16>()?, random::<32>()?);
    let session = Session::new(user.to_owned(), Sha256::digest(secret).into(), node.clock.now(), life_secs);
    let command = UserCommand::Session(SessionCommand::Open { id, session });
    match node.cluster.propose_control(ControlCommand::User(command)).await? {
        ControlReply::Done => Ok(Carried {
            access: access(node, user, &id).await?,
            refresh: Some(Secret::new(format!("{}.{}", hex(&id), hex(&secret)))),
        }),
        _ => Err(ApiError::unauthorized("the user was removed just now")),
    }
}

/// Takes a refresh secret and gives an access token and the next refresh secret.
pub(super) async fn refresh(node: &AppState, shown: &str) -> Result<(String, Carried), ApiError> {
    let over = || ApiError::unauthorized("the session has ended: sign in");
    let (id, secret) = shown.split_once('.').ok_or_else(over)?;
    let (id, secret): (SessionId, [u8; 32]) = (unhex(id).ok_or_else(over)?, unhex(secret).ok_or_else(over)?);
    let (from, next) = (Sha256::digest(secret).into(), random::<32>()?);
    let (to, at) = (Sha256::digest(next).into(), node.clock.now());
    let command = UserCommand::Session(SessionCommand::Refresh { id, from, to, at });
    let refresh = match node.cluster.propose_control(ControlCommand::User(command)).await? {
        ControlReply::Done => Some(Secret::new(format!("{}.{}", hex(&id), hex(&next)))),
        ControlReply::Conflict => None,
        _ => return Err(over()),
    };
    let user = node.store.control.replica.read(|state| {
        let (session, _) = state.users.session(&id, at)?;
        Some(session.user.clone())
    });
    let user = user.ok_or_else(over)?;
    let access = access(node, &user, &id).await?;
    Ok((user, Carried { access, refresh }))
}

/// Who an access token lets in.
pub(in crate::http) async fn viewer(node: &Node, token: &str) -> Result<Result<Viewer, Unsigned>, ApiError> {
    node.freshness.confirm(&node.cluster).await?;
    if let Some(found) = look(node, token) {
        return Ok(found);
    }
    // Signed in at another node a moment ago, perhaps.
    node.freshness.catch_up(&node.cluster).await?;
    Ok(look(node, token).unwrap_or(Err(Unsigned::Refused)))
}

/// `None`: what it names is not here, and may be news.
fn look(node: &Node, token: &str) -> Option<Result<Viewer, Unsigned>> {
    let said: Access = match read(node, Purpose::Access, token) {
        Ok(said) => said,
        Err(unsigned) => return is_no_news(node, unsigned).then_some(Err(unsigned)),
    };
    let now = node.clock.now();
    let id: SessionId = unhex(&said.sid)?;
    node.store.control.replica.read(|state| {
        let (session, user) = state.users.session(&id, now)?;
        let is_theirs = session.user == said.sub;
        Some(is_theirs.then(|| Viewer::by_session(&session.user, user.role, id)).ok_or(Unsigned::Refused))
    })
}

/// What somebody brings back that was signed for them.
pub(super) async fn brought_back<T: DeserializeOwned>(
    node: &Node,
    purpose: Purpose,
    token: &str,
) -> Result<Result<T, Unsigned>, ApiError> {
    match read(node, purpose, token) {
        Err(unsigned) if !is_no_news(node, unsigned) => {
            node.freshness.catch_up(&node.cluster).await?;
            Ok(read(node, purpose, token))
        }
        found => Ok(found),
    }
}

fn read<T: DeserializeOwned>(node: &Node, purpose: Purpose, token: &str) -> Result<T, Unsigned> {
    signed::read(token, &node.store.identity.cluster_id, purpose, |number| key(node, number))
}

/// Only the next key can be one of which this node has not heard: other numbers are not asked after.
fn is_no_news(node: &Node, unsigned: Unsigned) -> bool {
    let newest =
        || node.store.control.replica.read(|state| state.signing_keys.newest().map_or(0, |key| key.number));
    !matches!(unsigned, Unsigned::UnknownKey(number) if number == newest() + 1)
}

/// Ends the session that a token belongs to, its time over or not.
pub(super) async fn close(node: &AppState, token: &str) -> Result<(), ApiError> {
    let cluster = &node.store.identity.cluster_id;
    let said = signed::read_late::<Access>(token, cluster, Purpose::Access, |number| key(node, number));
    if let Some(id) = said.ok().and_then(|said| unhex(&said.sid)) {
        let command = UserCommand::Session(SessionCommand::Close { id });
        node.cluster.propose_control(ControlCommand::User(command)).await?;
    }
    Ok(())
}

/// Signs something for somebody to bring back.
pub(super) async fn sign<T: Serialize>(
    node: &AppState,
    purpose: Purpose,
    life_secs: u64,
    content: T,
) -> Result<Secret, ApiError> {
    let key = signing_key(node).await?;
    let now = seconds(node);
    let signed = signed::sign(&key, &node.store.identity.cluster_id, purpose, (now, life_secs), content);
    signed.map(Secret::new).ok_or_else(|| ApiError::internal(&"a signing key cannot be used"))
}

/// The key of a number, for whoever reads what it has signed.
fn key(node: &Node, number: u64) -> Option<SigningKey> {
    let now = node.clock.now();
    node.store.control.replica.read(|state| state.signing_keys.get(number, now).cloned())
}

async fn access(node: &AppState, user: &str, id: &SessionId) -> Result<Secret, ApiError> {
    let content = Access { sub: user.to_owned(), sid: hex(id) };
    sign(node, Purpose::Access, ACCESS_SECS, content).await
}

/// The newest key; where it is old, or there is none, another is made first.
async fn signing_key(node: &AppState) -> Result<SigningKey, ApiError> {
    let now = node.clock.now();
    let newest = || node.store.control.replica.read(|state| state.signing_keys.newest().cloned());
    let known = newest();
    if let Some(key) = &known
        && now < key.made_at.plus_secs(KEY_LIFE_SECS)
    {
        return Ok(key.clone());
    }
    let after = known.map_or(0, |key| key.number);
    let add = AddSigningKey { after, secret: random()?, at: now };
    // Another node may have been faster; its key is as good.
    node.cluster.propose_control(ControlCommand::AddSigningKey(add)).await?;
    newest().ok_or_else(|| ApiError::unavailable("the cluster has no signing key yet; try again"))
}

fn seconds(node: &Node) -> u64 {
    u64::try_from(node.clock.now().0 / insighthub_model::timestamp::NANOS_PER_SEC).unwrap_or_default()
}

pub(super) fn random<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::internal(&error))?;
    Ok(bytes)
}
