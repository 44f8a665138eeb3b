//! Where messages may go: to public addresses, and to what the node's own configuration allows.
//!
//! A name is looked up here, every address it has is checked, and the connection is made to what was checked: a name that
//! means something else a moment later makes no difference.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

const LOOK_UP_WITHIN: Duration = Duration::from_secs(5);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// Networks that may be called although they are not public: `10.1.0.0/16, 127.0.0.1, fd00::/8`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList(Vec<(IpAddr, u8)>);

/// What is wrong with a list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address or network such as 10.1.0.0/16")]
pub struct AllowListError(pub String);

/// Why an address is not called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    #[error("{0:?} is no name of a host")]
    NoName(String),
    #[error("{host} cannot be looked up: {reason}")]
    Unknown { host: String, reason: String },
    #[error(
        "{host} is {address}, which is not public: alerting.allow_addresses of the node's configuration does not name it"
    )]
    Forbidden { host: String, address: IpAddr },
}

/// Checks every address before it is called.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    pub allowed: AllowList,
}

impl FromStr for AllowList {
    type Err = AllowListError;

    fn from_str(text: &str) -> Result<AllowList, AllowListError> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let networks = entries.map(|entry| {
            let wrong = || AllowListError(entry.to_owned());
            let (address, bits) = entry.split_once('/').map_or((entry, None), |(a, b)| (a, Some(b)));
            let address: IpAddr = address.parse().map_err(|_| wrong())?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| wrong()))?;
            if bits > most { Err(wrong()) } else { Ok((address, bits)) }
        });
        networks.collect::<Result<_, _>>().map(AllowList)
    }
}

impl AllowList {
    pub fn holds(&self, address: IpAddr) -> bool {
        self.0.iter().any(|(network, bits)| match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(*bits)).unwrap_or(0);
                u32::from(*network) & mask == u32::from(address) & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(*bits)).unwrap_or(0);
                u128::from(*network) & mask == u128::from(address) & mask
            }
            _ => false,
        })
    }
}

impl Guard {
    /// The addresses of a host, all of which may be called; one that may not refuses the name as a whole.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, GuardError> {
        let name = host.trim_start_matches('[').trim_end_matches(']');
        if name.is_empty() {
            return Err(GuardError::NoName(host.to_owned()));
        }
        let addresses: Vec<SocketAddr> = match name.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => {
                let unknown = |reason: String| GuardError::Unknown { host: host.to_owned(), reason };
                let looking = tokio::net::lookup_host((name.to_owned(), port));
                let found = tokio::time::timeout(LOOK_UP_WITHIN, looking).await;
                let found = found.map_err(|_| unknown("no answer".to_owned()))?;
                found.map_err(|error| unknown(error.to_string()))?.take(ADDRESSES_MAX).collect()
            }
        };
        if addresses.is_empty() {
            return Err(GuardError::Unknown {
                host: host.to_owned(),
                reason: "it has no address".to_owned(),
            });
        }
        match addresses.iter().find(|address| !self.may_call(address.ip())) {
            Some(forbidden) => Err(GuardError::Forbidden { host: host.to_owned(), address: forbidden.ip() }),
            None => Ok(addresses),
        }
    }

    pub fn may_call(&self, address: IpAddr) -> bool {
        let plain = plain_form(address);
        self.allowed.holds(address) || self.allowed.holds(plain) || is_public(plain)
    }
}

/// An IPv4 address that is written as one of IPv6 is that IPv4 address: mapped, compatible, NAT64 and 6to4 forms.
fn plain_form(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => of(g, h),
        [0, 0, 0, 0, 0, 0] if (g, h) > (0, 1) => of(g, h),
        [0x2002, high, low, ..] => of(high, low),
        _ => address,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match (a, b, c) {
        // This network, loopback, private use, multicast and what is reserved.
        (0 | 10 | 127 | 224.., ..) => true,
        // Carriers' own addresses.
        (100, 64..=127, _) => true,
        // Link-local, with the metadata services of clouds.
        (169, 254, _) => true,
        (172, 16..=31, _) | (192, 168, _) => true,
        // Protocols, documentation, the former relay of 6to4, benchmarks.
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113) => true,
        _ => false,
    };
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Only what is given to the public at all, 2000::/3, without documentation and tunnels.
    (first & 0xe000) == 0x2000 && !(first == 0x2001 && (second < 0x200 || second == 0xdb8)) && first != 0x3fff
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;

    fn may_call(guard: &Guard, address: &str) -> bool {
        guard.may_call(address.parse().unwrap())
    }

    #[test]
    fn only_public_addresses_are_called() {
        let guard = Guard::default();
        for address in ["1.1.1.1", "52.1.2.3", "100.63.0.1", "172.32.0.1", "2606:4700::1111", "2a00:1450::1"]
        {
            assert!(may_call(&guard, address), "{address}");
        }
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "3fff::1",
            "64:ff9b::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "2002:7f00:1::",
            "64:ff9b:1::1",
        ] {
            assert!(!may_call(&guard, address), "{address}");
        }
    }

    #[test]
    fn the_allow_list_opens_what_it_names() {
        let guard = Guard { allowed: "127.0.0.1, 10.1.0.0/16,fd00::/8".parse().unwrap() };
        for address in ["127.0.0.1", "10.1.255.3", "fd12::1", "::ffff:10.1.2.3"] {
            assert!(may_call(&guard, address), "{address}");
        }
        for address in ["127.0.0.2", "10.2.0.1", "fe80::1"] {
            assert!(!may_call(&guard, address), "{address}");
        }
        for wrong in ["localhost", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "a"] {
            assert!(wrong.parse::<AllowList>().is_err(), "{wrong}");
        }
        assert!("0.0.0.0/0".parse::<AllowList>().unwrap().holds("9.9.9.9".parse().unwrap()));
    }

    #[tokio::test]
    async fn odd_spellings_of_this_machine_are_refused() {
        let guard = Guard::default();
        // As addresses are read by the parser of URLs, before they come here.
        for url in [
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://[::ffff:7f00:1]/",
            "http://localhost/",
        ] {
            let url = reqwest::Url::parse(url).unwrap();
            let refused = guard.resolve(url.host_str().unwrap(), 80).await;
            assert!(matches!(refused, Err(GuardError::Forbidden { .. })), "{url}: {refused:?}");
        }
    }
}
