//! Passwords as they arrive: bounded in memory, throttled for the whole cluster, equally long for unknown users.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use insighthub_storage::control::{ControlCommand, SignInFailed, UserCommand};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::access::password;
use crate::http::caller::Viewer;
use crate::http::users::NAME_BYTES_MAX;
use crate::http::{ApiError, AppState};

/// Password hashes computed at once: each costs 19 MiB and tens of milliseconds.
const HASHES_MAX: usize = 2;
/// For how long credentials that were found right are not hashed again.
const VERIFIED_FOR: Duration = Duration::from_secs(60);

/// Bounds the memory that hashing takes.
#[derive(Debug)]
pub struct Passwords {
    hashing: Semaphore,
    /// Basic credentials found right, by a hash keyed with the stored password hash: a client that
    /// sends them with each request is not hashed each time, and a changed password ends it.
    verified: Mutex<HashMap<[u8; 32], Instant>>,
}

impl Default for Passwords {
    fn default() -> Self {
        Passwords { hashing: Semaphore::new(HASHES_MAX), verified: Mutex::default() }
    }
}

/// Who a name and a password let in.
pub(in crate::http) async fn check_password(
    node: &AppState,
    address: IpAddr,
    user: String,
    password: String,
) -> Result<Viewer, ApiError> {
    let wrong = || ApiError::unauthorized("user or password is wrong");
    if user.len() > NAME_BYTES_MAX {
        return Err(wrong());
    }
    node.freshness.confirm(&node.cluster).await?;
    // Before anything tells a right password from a wrong one.
    throttle(node, &user, address)?;
    if let Some(viewer) = remembered(node, &user, &password) {
        return Ok(viewer);
    }
    // A user, or a password, that another node was told of a moment ago; asked of everybody, whether there is such a user or not.
    node.freshness.catch_up(&node.cluster).await?;
    throttle(node, &user, address)?;
    let known = node.store.control.replica.read(|state| state.users.by_name.get(&user).cloned());
    let stored = known.as_ref().and_then(|known| known.password_hash().map(str::to_owned));
    let is_right = {
        let _permit = node.passwords.hashing.try_acquire().map_err(|_| busy())?;
        let (stored, password) = (stored.clone(), password.clone());
        let checking = tokio::task::spawn_blocking(move || password::verify(&password, stored.as_deref()));
        checking.await.map_err(|error| ApiError::internal(&error))?
    };
    let Some(known) = known.filter(|_| is_right) else {
        // Written down before it is said: somebody who guesses learns nothing that does not count.
        let failed = SignInFailed { user, address, at: node.clock.now() };
        node.cluster.propose_control(ControlCommand::SignInFailed(failed)).await?;
        return Err(wrong());
    };
    {
        let mut verified = node.passwords.verified.lock();
        verified.retain(|_, at| at.elapsed() < VERIFIED_FOR);
        verified.insert(fingerprint(&user, &password, stored.as_deref().unwrap_or_default()), Instant::now());
    }
    if stored.as_deref().is_some_and(password::is_outdated) {
        rehash(node, &user, stored.unwrap_or_default(), password).await;
    }
    Ok(Viewer::by_password(user, &known))
}

/// Refuses to look at one more password where too many were wrong.
fn throttle(node: &AppState, user: &str, address: IpAddr) -> Result<(), ApiError> {
    let now = node.clock.now();
    let refused_for =
        node.store.control.replica.read(|state| state.sign_in_failures.refused_for(user, address, now));
    match refused_for {
        Some(secs) => Err(too_many("too many wrong passwords; wait a minute", secs)),
        None => Ok(()),
    }
}

/// Whom these credentials let in, if they were found right a moment ago and the password is still the same.
fn remembered(node: &AppState, name: &str, password: &str) -> Option<Viewer> {
    let user = node.store.control.replica.read(|state| state.users.by_name.get(name).cloned())?;
    let fingerprint = fingerprint(name, password, user.password_hash()?);
    let at = node.passwords.verified.lock().get(&fingerprint).copied()?;
    (at.elapsed() < VERIFIED_FOR).then(|| Viewer::by_password(name.to_owned(), &user))
}

/// The hash to keep of a new password: bounded in memory, off the async threads.
pub(in crate::http) async fn hash_password(node: &AppState, password: String) -> Result<String, ApiError> {
    let _permit = node.passwords.hashing.try_acquire().map_err(|_| busy())?;
    let mut salt = [0; password::SALT_BYTES];
    getrandom::fill(&mut salt).map_err(|error| ApiError::internal(&error))?;
    let hashing = tokio::task::spawn_blocking(move || password::hash(&password, &salt)).await;
    hashing.map_err(|error| ApiError::internal(&error))?.map_err(|error| ApiError::internal(&error))
}

/// Brings a password that was just found right to today's cost; if that fails, the next sign-in does it.
async fn rehash(node: &AppState, name: &str, from: String, password: String) {
    let rehashed = async {
        let to = hash_password(node, password).await?;
        let command = ControlCommand::User(UserCommand::Rehash { name: name.to_owned(), from, to });
        Ok::<_, ApiError>(node.cluster.propose_control(command).await?)
    };
    if let Err(error) = rehashed.await {
        tracing::warn!(user = name, error = error.message, "a password keeps its old hash for now");
    }
}

fn busy() -> ApiError {
    too_many("too many sign-ins at once; try again", 1)
}

fn too_many(message: &str, secs: u64) -> ApiError {
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "throttled", message).retry_after(secs)
}

fn fingerprint(user: &str, password: &str, stored: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [user, password, stored] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
