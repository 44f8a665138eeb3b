//! The password of the first admin, where whoever starts the node has chosen one: refused before anything else if it is weak.

use std::path::Path;

use anyhow::{Context, ensure};

/// Gives the admin's password instead of a random one.
const VARIABLE: &str = "INSIGHTHUB_ADMIN_PASSWORD";
/// Names a file that holds it.
const FILE_VARIABLE: &str = "INSIGHTHUB_ADMIN_PASSWORD_FILE";
/// As for everybody's password.
const CHARACTERS_MIN: usize = 12;
/// What is tried first by whoever tries.
const GUESSED_FIRST: [&str; 8] =
    ["admin", "password", "passw0rd", "changeme", "insighthub", "letmein", "qwerty", "123456"];

/// The password that was given, if one was.
pub(crate) fn given() -> anyhow::Result<Option<String>> {
    let password = match (std::env::var(VARIABLE), std::env::var(FILE_VARIABLE)) {
        (Ok(password), _) => password,
        (Err(_), Ok(path)) => in_file(Path::new(&path))?,
        (Err(_), Err(_)) => return Ok(None),
    };
    judge(&password)?;
    Ok(Some(password))
}

fn in_file(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {}, which {FILE_VARIABLE} names", path.display()))?;
    // Editors and `echo` end a file with a line break.
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
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
    fn a_file_holds_the_password_with_or_without_a_line_break() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        for text in ["correct horse", "correct horse\n", "correct horse\r\n"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(in_file(&path).unwrap(), "correct horse");
        }
        let error = in_file(&folder.path().join("none")).unwrap_err().to_string();
        assert!(error.contains(FILE_VARIABLE) && error.contains("none"), "{error}");
    }

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
