//! Where syslog may come in: never from everybody without anybody having said so.

use std::net::SocketAddr;

use insighthub_actors::alerting::delivery::AllowList;

use super::{Config, ConfigError};

pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let syslog = &config.syslog;
    if let Some(list) = &syslog.allow
        && let Err(error) = list.parse::<AllowList>()
    {
        let expected = format!("addresses and networks with commas between them ({error})");
        return Err(ConfigError::together("syslog.allow", list, expected, "\"10.0.0.0/8\""));
    }
    if syslog.zone().is_none() {
        let name = syslog.time_zone.as_deref().unwrap_or_default();
        let expected = "the name of a time zone".to_owned();
        return Err(ConfigError::together("syslog.time_zone", name, expected, "\"Europe/Berlin\""));
    }
    if syslog.certificate.is_some() != syslog.key.is_some() {
        let expected = "syslog.certificate and syslog.key, or neither of them".to_owned();
        return Err(ConfigError::together("syslog.certificate", "alone or missing", expected, "[syslog]"));
    }
    for node in &config.nodes {
        plain("node.syslog_tcp", node.syslog_tcp, config)?;
        plain("node.syslog_udp", node.syslog_udp, config)?;
        tls(node.syslog_tls, config)?;
    }
    Ok(())
}

fn plain(key: &str, address: Option<SocketAddr>, config: &Config) -> Result<(), ConfigError> {
    match address {
        Some(address) if !address.ip().is_loopback() && config.syslog.allow.is_none() => {
            let expected = "a loopback address, or syslog.allow with the networks that may send: whoever reaches the address \
                            could write logs"
                .to_owned();
            Err(ConfigError::together(key, address, expected, "allow = \"10.0.0.0/8\" in [syslog]"))
        }
        _ => Ok(()),
    }
}

fn tls(address: Option<SocketAddr>, config: &Config) -> Result<(), ConfigError> {
    let Some(address) = address else { return Ok(()) };
    if config.syslog.certificate.is_none() && config.http.certificate.is_none() {
        let expected = "together with syslog.certificate and syslog.key, or those of http".to_owned();
        let example = "certificate = \"/etc/insighthub/syslog.pem\" in [syslog]";
        return Err(ConfigError::together("node.syslog_tls", address, expected, example));
    }
    if !address.ip().is_loopback() && config.syslog.allow.is_none() && config.syslog.authority.is_none() {
        let expected = "a loopback address, or syslog.authority whose certificates let senders in, or syslog.allow with the \
                        networks that may send: whoever reaches the address could write logs"
            .to_owned();
        let example = "authority = \"/etc/insighthub/senders.pem\" in [syslog]";
        return Err(ConfigError::together("node.syslog_tls", address, expected, example));
    }
    Ok(())
}
