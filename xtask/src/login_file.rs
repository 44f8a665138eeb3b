//! Keeps the admin login that a node prints once, so that the next `up` can print it again.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What the node prints before the login.
const MARK: &str = "admin login: ";

fn path(data: &Path) -> PathBuf {
    data.join("admin-login")
}

/// The login in a line of the node's output, if it holds one.
pub(crate) fn in_line(line: &str) -> Option<&str> {
    line.split_once(MARK).map(|(_, login)| login.trim()).filter(|login| !login.is_empty())
}

/// Keeps the login, readable by this user only.
pub(crate) fn keep(data: &Path, login: &str) -> Result<()> {
    let path = path(data);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    // The mode above counts only for a new file.
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    writeln!(file, "{login}").with_context(|| format!("cannot write {}", path.display()))
}

pub(crate) fn kept(data: &Path) -> Option<String> {
    let text = fs::read_to_string(path(data)).ok()?;
    Some(text.trim().to_owned()).filter(|login| !login.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_is_found_in_the_nodes_line_and_in_no_other() {
        assert_eq!(in_line("admin login: user admin, password abc\n"), Some("user admin, password abc"));
        assert_eq!(in_line("listening on http://127.0.0.1:8000"), None);
        assert_eq!(in_line("admin login: "), None);
    }

    #[test]
    fn only_this_user_may_read_what_is_kept() {
        let data = std::env::temp_dir().join(format!("xtask-login-{}", std::process::id()));
        fs::create_dir_all(&data).unwrap();
        fs::write(path(&data), "old and readable by all").unwrap();
        keep(&data, "user admin, password abc").unwrap();
        assert_eq!(kept(&data).as_deref(), Some("user admin, password abc"));
        assert_eq!(fs::metadata(path(&data)).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_dir_all(&data).unwrap();
    }
}
