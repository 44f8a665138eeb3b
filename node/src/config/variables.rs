//! What the environment says: a variable for each key, and files that variables name, so that no secret need stand in either.

use std::ffi::OsString;
use std::fs;

use super::VARIABLE_PREFIX;
use super::check::ConfigError;

/// Between the section and the key in a variable's name.
pub(super) const SEPARATOR: &str = "__";
/// A variable that ends like this names a file, and the file holds the value.
const FILE_SUFFIX: &str = "_FILE";

/// Names and values, with what stands in files read from there.
pub(super) fn read(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<(String, String)>, ConfigError> {
    let texts =
        variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    texts.map(|(name, value)| resolved(name, value)).collect()
}

fn resolved(name: String, value: String) -> Result<(String, String), ConfigError> {
    let key = name
        .strip_suffix(FILE_SUFFIX)
        .filter(|key| key.starts_with(VARIABLE_PREFIX) && key.contains(SEPARATOR));
    let Some(key) = key else { return Ok((name, value)) };
    match fs::read_to_string(&value) {
        // Editors and `echo` end a file with a line break.
        Ok(text) => Ok((key.to_owned(), text.trim_end_matches(['\r', '\n']).to_owned())),
        Err(source) => Err(ConfigError::UnreadableFile { variable: name, path: value, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_pairs(pairs: &[(&str, &str)]) -> Result<Vec<(String, String)>, ConfigError> {
        read(pairs.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn a_variable_may_name_a_file_that_holds_the_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "0123456789abcdef0123456789abcdef\n").unwrap();
        let path = path.to_str().unwrap();
        let found = read_pairs(&[("INSIGHTHUB_CLUSTER__SECRET_FILE", path), ("OTHER__KEY_FILE", "/nowhere")])
            .unwrap();
        let expected =
            ("INSIGHTHUB_CLUSTER__SECRET".to_owned(), "0123456789abcdef0123456789abcdef".to_owned());
        assert_eq!(found, [expected, ("OTHER__KEY_FILE".to_owned(), "/nowhere".to_owned())]);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_with_its_variable() {
        let error = read_pairs(&[("INSIGHTHUB_OIDC__CLIENT_SECRET_FILE", "/nowhere/secret")])
            .unwrap_err()
            .to_string();
        for part in ["INSIGHTHUB_OIDC__CLIENT_SECRET_FILE", "/nowhere/secret"] {
            assert!(error.contains(part), "{error}");
        }
    }
}
