//! A deletion by query as it is typed.

use serde_json::{Map, Value};

use crate::state::forms::{self, Fault};
use crate::state::query_check;
use crate::state::range::rfc3339;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeletionForm {
    /// `*` means everything and must be written out.
    pub query: String,
    /// Local moments, as inputs hold them; empty: no bound.
    pub from: String,
    pub to: String,
    pub reason: String,
}

impl DeletionForm {
    /// What the API takes.
    pub fn deletion(&self, offset: impl Fn(i64) -> i64) -> Result<Value, Fault> {
        let query = forms::optional(&self.query);
        let query = query.ok_or_else(|| Fault::at("query", "Say which records; * means all of them."))?;
        if let Some(problem) = query_check::problem(&query) {
            return Err(Fault::at("query", problem));
        }
        let reason = forms::optional(&self.reason);
        let reason = reason.ok_or_else(|| Fault::at("reason", "Say why: it is kept with the deletion."))?;
        let mut deletion = Map::new();
        deletion.insert("query".to_owned(), query.into());
        for (name, text) in [("from", &self.from), ("to", &self.to)] {
            if !text.is_empty() {
                let at_ms = forms::local_ms(text, &offset);
                let at_ms = at_ms.ok_or_else(|| Fault::at(name, "Give a day and a time, or nothing."))?;
                deletion.insert(name.to_owned(), rfc3339(at_ms).into());
            }
        }
        deletion.insert("reason".to_owned(), reason.into());
        Ok(Value::Object(deletion))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_says_what_from_when_and_why() {
        let form = DeletionForm {
            query: "userId:7".into(),
            from: "2026-01-31T10:00".into(),
            to: String::new(),
            reason: " asked for ".into(),
        };
        let expected = serde_json::json!({ "query": "userId:7", "from": "2026-01-31T09:00:00.000Z", "reason": "asked for" });
        assert_eq!(form.deletion(|_| 3_600_000), Ok(expected));
        let field = |form: DeletionForm| form.deletion(|_| 0).unwrap_err().field.unwrap();
        assert_eq!(field(DeletionForm { query: " ".into(), ..form.clone() }), "query");
        assert_eq!(field(DeletionForm { query: "(a".into(), ..form.clone() }), "query");
        assert_eq!(field(DeletionForm { reason: String::new(), ..form.clone() }), "reason");
        assert_eq!(field(DeletionForm { to: "tomorrow".into(), ..form }), "to");
    }
}
