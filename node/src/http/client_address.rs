//! From where a request comes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use insighthub_actors::alerting::delivery::AllowList;

use super::{ApiError, AppState};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client's address: of the connection, or what a proxy says that the configuration trusts.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientAddress(pub(super) IpAddr);

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, node: &AppState) -> Result<Self, ApiError> {
        Ok(ClientAddress::of(parts, node))
    }
}

impl ClientAddress {
    pub(super) fn of(parts: &Parts, node: &AppState) -> ClientAddress {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip());
        ClientAddress(client(peer, &parts.headers, &node.access.trusted_proxies))
    }
}

/// Each proxy appends whom it was called by: the last address that is no proxy of ours is the client's, and what stands
/// before it is only what the client says.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &AllowList) -> IpAddr {
    let said = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let said: Vec<&str> = said.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut client = peer.to_canonical();
    for address in said.iter().rev() {
        if !trusted.holds(client) {
            break;
        }
        match address.parse::<IpAddr>() {
            Ok(address) => client = address.to_canonical(),
            Err(_) => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(peer: &str, said: &[&str], trusted: &str) -> String {
        let mut headers = HeaderMap::new();
        for value in said {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        client(peer.parse().unwrap(), &headers, &trusted.parse().unwrap()).to_string()
    }

    #[test]
    fn nobody_but_a_trusted_proxy_says_where_a_request_comes_from() {
        assert_eq!(found("198.51.100.7", &["203.0.113.1"], ""), "198.51.100.7");
        assert_eq!(found("198.51.100.7", &["203.0.113.1"], "10.0.0.0/8"), "198.51.100.7");
        assert_eq!(found("10.0.0.1", &["203.0.113.1"], "10.0.0.0/8"), "203.0.113.1");
        assert_eq!(found("::ffff:10.0.0.1", &["203.0.113.1"], "10.0.0.0/8"), "203.0.113.1");
    }

    #[test]
    fn what_the_client_itself_says_is_not_believed() {
        let trusted = "10.0.0.0/8";
        assert_eq!(found("10.0.0.1", &["1.1.1.1, 203.0.113.1"], trusted), "203.0.113.1");
        assert_eq!(found("10.0.0.1", &["1.1.1.1", "203.0.113.1, 10.0.0.2"], trusted), "203.0.113.1");
        assert_eq!(found("10.0.0.1", &["203.0.113.1, nonsense"], trusted), "10.0.0.1");
        assert_eq!(found("10.0.0.1", &[], trusted), "10.0.0.1");
    }
}
