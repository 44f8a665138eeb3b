//! What went wrong at signing in, in words.

use crate::api::error::ApiError;

pub fn reason(error: &ApiError) -> String {
    match error.status {
        401 => "User or password is wrong.".to_owned(),
        429 => "Too many attempts. Wait a minute, then try again: until then nobody is let in from here, not even with the right password.".to_owned(),
        503 => format!("This node cannot let anybody in right now: {}. Another try asks another node.", error.message.trim_end_matches('.')),
        _ => error.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_is_said() {
        let of = |status| {
            reason(&ApiError::from_body(status, r#"{"error":{"code":"x","message":"it is cut off."}}"#))
        };
        assert!(of(401).starts_with("User or password"));
        assert!(of(429).contains("Wait a minute"));
        assert!(of(503).contains("it is cut off. Another try"));
        assert_eq!(reason(&ApiError::unreachable()), ApiError::unreachable().message);
    }
}
