//! A token as it is typed.

use serde_json::{Map, Value, json};

use crate::api::tokens::Scope;
use crate::state::forms::{self, Fault};

#[derive(Clone, Debug, PartialEq)]
pub struct TokenForm {
    pub name: String,
    /// Names of scopes.
    pub scopes: Vec<String>,
    /// Empty: every service.
    pub service: String,
    /// Empty: until it is revoked.
    pub expires_in_days: String,
}

impl Default for TokenForm {
    fn default() -> Self {
        TokenForm {
            name: String::new(),
            scopes: vec![Scope::Write.name().to_owned()],
            service: String::new(),
            expires_in_days: "365".to_owned(),
        }
    }
}

impl TokenForm {
    /// What the API takes.
    pub fn token(&self) -> Result<Value, Fault> {
        if self.scopes.is_empty() {
            return Err(Fault::at("scopes", "Choose what it opens."));
        }
        let service = forms::optional(&self.service);
        if service.is_some() && self.scopes != [Scope::Write.name()] {
            return Err(Fault::at(
                "service",
                "A token of one service may only write: whoever reads, reads all of them.",
            ));
        }
        let mut token = Map::new();
        token.insert("name".to_owned(), self.name.trim().into());
        token.insert("scopes".to_owned(), json!(self.scopes));
        token.extend(service.map(|service| ("service".to_owned(), service.into())));
        if !self.expires_in_days.trim().is_empty() {
            let days: u64 = forms::whole("expires_in_days", &self.expires_in_days)?;
            token.insert("expires_in_days".to_owned(), days.into());
        }
        Ok(Value::Object(token))
    }
}

/// What a scope opens, for a menu.
pub fn meaning(scope: Scope) -> &'static str {
    match scope {
        Scope::Write => "write: send logs",
        Scope::Read => "read: see what a viewer sees",
        Scope::Metrics => "metrics: read /metrics alone",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_as_the_api_takes_it() {
        let form = TokenForm { name: " ci ".into(), service: "shop".into(), ..TokenForm::default() };
        assert_eq!(
            form.token(),
            Ok(json!({ "name": "ci", "scopes": ["write"], "service": "shop", "expires_in_days": 365 }))
        );
        let open = TokenForm { service: String::new(), expires_in_days: String::new(), ..form };
        assert_eq!(open.token(), Ok(json!({ "name": "ci", "scopes": ["write"] })));
    }

    #[test]
    fn what_cannot_be_is_said_at_its_field() {
        let field = |change: fn(&mut TokenForm)| {
            let mut form = TokenForm::default();
            change(&mut form);
            form.token().unwrap_err().field.unwrap()
        };
        assert_eq!(field(|form| form.scopes.clear()), "scopes");
        assert_eq!(field(|form| form.expires_in_days = "soon".into()), "expires_in_days");
        assert_eq!(
            field(|form| {
                form.service = "shop".into();
                form.scopes.push("read".into());
            }),
            "service"
        );
    }
}
