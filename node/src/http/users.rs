//! Who can sign in: `GET|POST /api/users`, `PATCH|DELETE /api/users/{name}`, `POST /api/session/password`.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::StatusCode;
use insighthub_model::access::{Action, Role};
use insighthub_model::api::users::{ListedUser, NewUserMade, Users};
use insighthub_storage::control::{ControlCommand, ControlReply, Proof, User, UserCommand};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auditing::Doing;
use super::caller::Viewer;
use super::client_address::ClientAddress;
use super::extract::{Json, Path};
use super::signing_in::{check_password, hash_password};
use super::{ApiError, AppState};

pub(super) const NAME_BYTES_MAX: usize = 128;
/// What OWASP asks of a password that stands alone, at least and at most.
const PASSWORD_CHARACTERS_MIN: usize = 12;
const PASSWORD_BYTES_MAX: usize = 1_024;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(change, remove))
        .routes(routes!(change_own_password))
}

/// Who can sign in.
#[utoipa::path(
    get, path = "/api/users",
    responses((status = 200, body = Users)),
    extensions(("x-insighthub-access" = json!("manage_users"))),
)]
async fn list(State(node): State<AppState>, viewer: Viewer) -> Result<Json<Users>, ApiError> {
    viewer.require(Action::ManageUsers)?;
    let now = node.clock.now();
    let users: Vec<ListedUser> = node.store.control.replica.read(|state| {
        // Counted once: thousands of users times thousands of sessions would hold up the state.
        let mut sessions: HashMap<&str, usize> = HashMap::new();
        for session in state.users.sessions.open_at(now) {
            *sessions.entry(&session.user).or_default() += 1;
        }
        let listed = state.users.by_name.iter().map(|(name, user)| ListedUser {
            name: name.clone(),
            role: user.role,
            created_at: user.created_at,
            sessions: sessions.get(name.as_str()).copied().unwrap_or_default(),
        });
        listed.collect()
    });
    Ok(Json(Users { users }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    name: String,
    role: UserRole,
    password: String,
}

/// A role that can be given.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum UserRole {
    Admin,
    Viewer,
}

impl From<UserRole> for Role {
    fn from(role: UserRole) -> Role {
        match role {
            UserRole::Admin => Role::Admin,
            UserRole::Viewer => Role::Viewer,
        }
    }
}

impl UserRole {
    const fn name(self) -> &'static str {
        match self {
            UserRole::Admin => "admin",
            UserRole::Viewer => "viewer",
        }
    }
}

/// Makes a user.
#[utoipa::path(
    post, path = "/api/users",
    request_body = NewUser,
    responses((status = 201, body = NewUserMade), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_users"))),
)]
async fn create(
    State(node): State<AppState>,
    viewer: Viewer,
    Json(request): Json<NewUser>,
) -> Result<(StatusCode, Json<NewUserMade>), ApiError> {
    viewer.require(Action::ManageUsers)?;
    let NewUser { name, role, password } = request;
    if name.is_empty()
        || name.len() > NAME_BYTES_MAX
        || name.chars().any(|letter| letter.is_control() || letter == ':')
    {
        let message =
            format!("name must have 1 to {NAME_BYTES_MAX} bytes, no colon and no control characters");
        return Err(ApiError::bad_parameter("name", message));
    }
    check_new_password(&name, &password)?;
    let password_hash = hash_password(&node, password).await?;
    let doing = Doing { action: "user.create", target: &name, detail: format!("role {}", role.name()) };
    let user =
        User { role: role.into(), proof: Proof::Password(password_hash), created_at: node.clock.now() };
    let command = ControlCommand::User(UserCommand::Create { name: name.clone(), user });
    match node.change(&viewer, doing, command).await? {
        ControlReply::Done => Ok((StatusCode::CREATED, Json(NewUserMade { name, role: role.into() }))),
        ControlReply::LimitReached => {
            Err(ApiError::new(StatusCode::CONFLICT, "limit_reached", "there are too many users already"))
        }
        _ => Err(ApiError::new(
            StatusCode::CONFLICT,
            "name_taken",
            format!("there is a user {name:?} already"),
        )),
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserChange)]
struct Change {
    role: Option<UserRole>,
    password: Option<String>,
}

/// Gives a user another role or password.
///
/// Ends the user's sessions.
#[utoipa::path(
    patch, path = "/api/users/{name}",
    params(("name" = String, Path)), request_body = Change,
    responses((status = 204), (status = 404), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_users"))),
)]
async fn change(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
    Json(request): Json<Change>,
) -> Result<StatusCode, ApiError> {
    viewer.require(Action::ManageUsers)?;
    if request.role.is_none() && request.password.is_none() {
        return Err(ApiError::bad_parameter("role", "give a role, a password or both"));
    }
    if let Some(password) = request.password {
        check_new_password(&name, &password)?;
        let password_hash = hash_password(&node, password).await?;
        let doing = Doing { action: "user.set_password", target: &name, detail: String::new() };
        let command = UserCommand::SetPassword { name: name.clone(), password_hash };
        password_done(node.change(&viewer, doing, ControlCommand::User(command)).await?, &name)?;
    }
    if let Some(role) = request.role {
        let doing = Doing { action: "user.set_role", target: &name, detail: format!("role {}", role.name()) };
        let command = UserCommand::SetRole { name: name.clone(), role: role.into() };
        done(node.change(&viewer, doing, ControlCommand::User(command)).await?, &name)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a user.
///
/// Ends the user's sessions as well.
#[utoipa::path(
    delete, path = "/api/users/{name}",
    params(("name" = String, Path)),
    responses((status = 204), (status = 404), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_users"))),
)]
async fn remove(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    viewer.require(Action::ManageUsers)?;
    let doing = Doing { action: "user.delete", target: &name, detail: String::new() };
    let command = ControlCommand::User(UserCommand::Delete { name: name.clone() });
    done(node.change(&viewer, doing, command).await?, &name)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OwnPassword {
    current: String,
    new: String,
}

/// Changes the own password.
///
/// Everybody may do this for themselves; it ends all their sessions, this one too.
#[utoipa::path(
    post, path = "/api/session/password",
    request_body = OwnPassword,
    responses((status = 204), (status = 404)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn change_own_password(
    State(node): State<AppState>,
    viewer: Viewer,
    address: ClientAddress,
    Json(request): Json<OwnPassword>,
) -> Result<StatusCode, ApiError> {
    let Some(name) = viewer.user.clone() else {
        return Err(ApiError::unauthorized("sign in to change your password"));
    };
    check_password(&node, address.0, name.clone(), request.current).await?;
    check_new_password(&name, &request.new)?;
    let password_hash = hash_password(&node, request.new).await?;
    let doing = Doing { action: "user.set_password", target: &name, detail: "their own".into() };
    let command = ControlCommand::User(UserCommand::SetPassword { name: name.clone(), password_hash });
    password_done(node.change(&viewer, doing, command).await?, &name)?;
    Ok(StatusCode::NO_CONTENT)
}

fn check_new_password(name: &str, password: &str) -> Result<(), ApiError> {
    let problem = if password.chars().count() < PASSWORD_CHARACTERS_MIN {
        format!("the password must have {PASSWORD_CHARACTERS_MIN} characters at least")
    } else if password.len() > PASSWORD_BYTES_MAX {
        format!("the password may have {PASSWORD_BYTES_MAX} bytes at most")
    } else if password.eq_ignore_ascii_case(name) {
        "the password must not be the user's name".to_owned()
    } else {
        return Ok(());
    };
    Err(ApiError::bad_parameter("password", problem))
}

fn password_done(reply: ControlReply, name: &str) -> Result<(), ApiError> {
    match reply {
        ControlReply::Conflict => {
            let message = format!("{name:?} signs in at the identity provider and has no password here");
            Err(ApiError::new(StatusCode::CONFLICT, "no_password", message))
        }
        reply => done(reply, name),
    }
}

fn done(reply: ControlReply, name: &str) -> Result<(), ApiError> {
    match reply {
        ControlReply::Done => Ok(()),
        ControlReply::NotFound => Err(ApiError::not_found(format!("there is no user {name:?}"))),
        _ => {
            let message = format!("{name:?} is the last admin: make another one first");
            Err(ApiError::new(StatusCode::CONFLICT, "last_admin", message))
        }
    }
}
