//! The password of the first admin, where whoever starts the node has chosen one: refused before anything else if it is weak.

use std::path::Path;

use anyhow::ensure;

/// Gives the admin's password instead of a random one.
const VARIABLE: &str = "INSIGHTHUB_ADMIN_PASSWORD";
/// As for everybody's password.
const CHARACTERS_MIN: usize = 12;
/// What is tried first by whoever tries.
const GUESSED_FIRST: [&str; 8] =
    ["admin", "password", "passw0rd", "changeme", "insighthub", "letmein", "qwerty", "123456"];

/// The password that was given, if one was.
pub(crate) fn given() -> anyhow::Result<Option<String>> {
    let Ok(password) = std::env::var(VARIABLE) else { return Ok(None) };
    judge(&password)?;
    Ok(Some(password))
}

/// Refuses a weak one while there is time: once a node is a member, the variable means nothing any more.
pub(crate) fn check(data: &Path) -> anyhow::Result<()> {
    if !data.join("identity").exists() {
        given()?;
    }
    Ok(())
}

/// The message never repeats what was given.
fn judge(password: &str) -> anyhow::Result<()> {
    let characters = password.chars().count();
    ensure!(
        characters >= CHARACTERS_MIN,
        "{VARIABLE} has {characters} characters: give at least {CHARACTERS_MIN}, or leave it out for a random one"
    );
    let lower = password.to_lowercase();
    let is_guessed = GUESSED_FIRST.iter().any(|guess| lower.starts_with(guess));
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    ensure!(
        !is_guessed && different.len() >= 5,
        "{VARIABLE} is among the first that anybody would guess: give another, or leave it out for a random one"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_refused_without_being_repeated() {
        for (weak, reason) in [
            ("", "0 characters"),
            ("admin", "5 characters"),
            ("hunter2hunt", "11 characters"),
            ("Admin-of-everything", "anybody would guess"),
            ("password1234", "anybody would guess"),
            ("insighthub-2026", "anybody would guess"),
            ("aaaaaaaaaaaaaaaa", "anybody would guess"),
        ] {
            let error = judge(weak).unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains(VARIABLE), "{weak}: {error}");
            assert!(weak.is_empty() || weak == "admin" || !error.contains(weak), "{error}");
        }
        judge("correct horse battery staple").unwrap();
        judge("9f1c22d07ab4").unwrap();
    }
}
