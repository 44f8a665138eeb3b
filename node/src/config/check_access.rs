//! How people come in: proxies that are believed, and the identity provider with what it needs.

use insighthub_actors::alerting::delivery::AllowList;

use super::{Config, ConfigError};

pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    if let Some(list) = &config.access.trusted_proxies
        && let Err(error) = list.parse::<AllowList>()
    {
        let expected = format!("addresses and networks with commas between them ({error})");
        return Err(ConfigError::together("access.trusted_proxies", list, expected, "\"10.0.0.0/8\""));
    }
    let oidc = &config.oidc;
    let Some(issuer) = &oidc.issuer else {
        if oidc.client_id.is_some() {
            let expected = "together with oidc.issuer".to_owned();
            return Err(ConfigError::together("oidc.client_id", "alone", expected, "\"insighthub\""));
        }
        return Ok(());
    };
    if !(issuer.starts_with("https://") || is_on_this_machine(issuer)) {
        let expected = "an address that begins with https://".to_owned();
        return Err(ConfigError::together("oidc.issuer", issuer, expected, "\"https://id.example.com\""));
    }
    if oidc.client_id.is_none() {
        let expected = "set where oidc.issuer is".to_owned();
        return Err(ConfigError::together("oidc.client_id", "missing", expected, "\"insighthub\""));
    }
    if config.alerting.public_url.is_none() {
        let expected = "set where oidc.issuer is: the provider sends people back there".to_owned();
        let example = "\"https://logs.example.com\"";
        return Err(ConfigError::together("alerting.public_url", "missing", expected, example));
    }
    Ok(())
}

/// Where nobody listens on the way.
fn is_on_this_machine(url: &str) -> bool {
    let authority = url.strip_prefix("http://").and_then(|rest| rest.split('/').next());
    let host = authority.map(|authority| authority.rsplit_once(':').map_or(authority, |(host, _)| host));
    host.is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"))
}
