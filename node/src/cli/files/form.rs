//! Which form a file has: by what is said of it, by its name, by how it begins.

use std::path::Path;

use clap::ValueEnum;

/// What a person says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormArg {
    /// By name (.csv, .tsv) and by how the file begins.
    #[default]
    Auto,
    /// One JSON object a line.
    Ndjson,
    /// One array of JSON objects.
    Json,
    /// Rows under names.
    Csv,
    /// Lines of plain text.
    Text,
}

/// A form that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Array,
    /// With what between cells, if it was said.
    Csv(Option<u8>),
    Text,
    /// Lines of which each is JSON or plain text.
    Mixed,
}

impl FormArg {
    /// The form of a file that has this name and begins so.
    pub(crate) fn decide(self, path: &Path, beginning: &[u8], delimiter: Option<u8>) -> Form {
        let beginning = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
        let first = beginning.trim_ascii_start().first();
        match (self, first) {
            (FormArg::Csv, _) => Form::Csv(delimiter),
            (FormArg::Text, _) => Form::Text,
            (FormArg::Json, Some(b'[')) | (FormArg::Auto, Some(b'[')) if is_array(beginning) => Form::Array,
            (FormArg::Ndjson | FormArg::Json, _) => Form::Json,
            (FormArg::Auto, _) => match extension(path) {
                Some("csv") => Form::Csv(delimiter),
                Some("tsv") => Form::Csv(delimiter.or(Some(b'\t'))),
                _ if delimiter.is_some() => Form::Csv(delimiter),
                _ if first == Some(&b'{') => Form::Json,
                _ => Form::Text,
            },
        }
    }
}

/// Plain text may begin with a bracket as well: `[2026-01-31 10:00:00] started`.
fn is_array(beginning: &[u8]) -> bool {
    let inside = beginning.trim_ascii_start().get(1..).unwrap_or_default().trim_ascii_start();
    matches!(inside.first(), Some(b'{' | b']') | None)
}

/// The extension before that of a compression.
fn extension(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    Path::new(name).extension()?.to_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_apart() {
        for (name, beginning, expected) in [
            ("a.log", "{\"a\":1}", Form::Json),
            ("a", "\u{feff} [ {\"a\"", Form::Array),
            ("a.json", "[]", Form::Array),
            ("a.log", "[2026-01-31] started", Form::Text),
            ("a.csv.gz", "a,b\n", Form::Csv(None)),
            ("a.tsv", "a\tb\n", Form::Csv(Some(b'\t'))),
            ("a.log", "Jan 31 10:00:00", Form::Text),
            ("a.csv", "", Form::Csv(None)),
            ("a.ndjson", "", Form::Text),
        ] {
            assert_eq!(FormArg::Auto.decide(Path::new(name), beginning.as_bytes(), None), expected, "{name}");
        }
        assert_eq!(FormArg::Json.decide(Path::new("a"), b"{\"a\":1}\n{}", None), Form::Json);
        assert_eq!(FormArg::Auto.decide(Path::new("a"), b"a|b", Some(b'|')), Form::Csv(Some(b'|')));
    }
}
