//! Addresses of the Internet protocol: what `ip("...")` means, and where addresses stand in a text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is expected in `ip("...")`.
pub(super) const EXPECTED: &str = "an address, a network as 10.0.0.0/8, or a range as 10.0.0.1-10.0.0.9";

/// Addresses of one family, from the first to the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Addresses {
    first: IpAddr,
    last: IpAddr,
}

impl Addresses {
    /// `10.0.0.1`, `10.0.0.0/8`, `10.0.0.1-10.0.0.9`, and the same of version 6; `None` for what is none.
    pub(super) fn parse(text: &str) -> Option<Addresses> {
        if let Some((address, length)) = text.split_once('/') {
            return network(address.trim().parse().ok()?, length.trim().parse().ok()?);
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last): (IpAddr, IpAddr) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first.is_ipv4() == last.is_ipv4() && first <= last).then_some(Addresses { first, last })
    }

    /// Whether one of them stands in the text, alone or with a port.
    pub(super) fn are_in(self, text: &str) -> bool {
        let is_between = |char: char| !char.is_alphanumeric() && !matches!(char, '.' | ':' | '_');
        text.split(is_between).filter(|word| !word.is_empty()).any(|word| match self.first {
            IpAddr::V4(_) => word.split(':').filter_map(version_4).any(|address| self.contains(address)),
            IpAddr::V6(_) => version_6(word).is_some_and(|address| self.contains(address)),
        })
    }

    /// An expression that every text meets which one of them stands in.
    pub(super) fn coarse_pattern(self) -> String {
        match self.first {
            IpAddr::V4(only) if self.first == self.last => regex::escape(&only.to_string()),
            IpAddr::V4(_) => r"\d\.\d{1,3}\.\d{1,3}\.\d".to_owned(),
            // An address of version 6 has at least two colons, and at most four digits between them.
            IpAddr::V6(_) => ":[0-9a-fA-F]{0,4}:".to_owned(),
        }
    }

    /// Addresses of version 4 come before those of version 6.
    fn contains(self, address: IpAddr) -> bool {
        self.first <= address && address <= self.last
    }
}

/// What has the same leading bits.
fn network(address: IpAddr, length: u32) -> Option<Addresses> {
    let (first, last) = match address {
        IpAddr::V4(address) => {
            let rest = u32::MAX.checked_shr(length).or((length == u32::BITS).then_some(0))?;
            let first = address.to_bits() & !rest;
            (Ipv4Addr::from_bits(first).into(), Ipv4Addr::from_bits(first | rest).into())
        }
        IpAddr::V6(address) => {
            let rest = u128::MAX.checked_shr(length).or((length == u128::BITS).then_some(0))?;
            let first = address.to_bits() & !rest;
            (Ipv6Addr::from_bits(first).into(), Ipv6Addr::from_bits(first | rest).into())
        }
    };
    Some(Addresses { first, last })
}

/// A sentence may end behind an address.
fn version_4(word: &str) -> Option<IpAddr> {
    word.trim_end_matches('.').parse().ok().map(IpAddr::V4)
}

/// A name may stand before the address and another colon behind it: `src:fe80::1:`.
fn version_6(word: &str) -> Option<IpAddr> {
    let word = word.trim_end_matches('.');
    let behind_name = word.split_once(':').map_or(word, |(_, behind)| behind);
    let candidates = [word, word.strip_suffix(':').unwrap_or(word), behind_name];
    candidates.into_iter().find_map(|text| text.parse().ok()).map(IpAddr::V6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_in(addresses: &str, text: &str) -> bool {
        Addresses::parse(addresses).unwrap_or_else(|| panic!("{addresses}")).are_in(text)
    }

    #[test]
    fn networks_and_ranges_have_their_first_and_last_address() {
        for (addresses, inside, outside) in [
            ("10.1.2.3", ["10.1.2.3", "10.1.2.3"], ["10.1.2.2", "10.1.2.4"]),
            // 20 bits leave 12: 16 numbers in the third part.
            ("172.16.37.9/20", ["172.16.32.0", "172.16.47.255"], ["172.16.31.255", "172.16.48.0"]),
            ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::", "::1"]),
            ("10.1.2.3/32", ["10.1.2.3", "10.1.2.3"], ["10.1.2.2", "10.1.2.4"]),
            ("10.0.0.9 - 10.0.1.2", ["10.0.0.9", "10.0.1.2"], ["10.0.0.8", "10.0.1.3"]),
            ("2001:db8::/33", ["2001:db8::", "2001:db8:7fff::1"], ["2001:db8:8000::", "2001:db7::"]),
            ("fe80::1-fe80::ff", ["fe80::1", "fe80:0:0::ff"], ["fe80::", "fe80::100"]),
        ] {
            for text in inside {
                assert!(are_in(addresses, text), "{text} in {addresses}");
            }
            for text in outside {
                assert!(!are_in(addresses, text), "{text} in {addresses}");
            }
        }
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in [
            "",
            "10.0.0",
            "10.0.0.256",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/-1",
            "10.0.0.9-10.0.0.1",
            "10.0.0.1-::1",
            "10.0.0.1/8/8",
            "host",
        ] {
            assert_eq!(Addresses::parse(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_are_found_where_they_stand_alone() {
        for text in [
            "10.0.0.1",
            "from 10.0.0.1:8080 to nowhere",
            "client=\"10.0.0.1\" ok",
            "10.0.0.1,10.9.9.9",
            "It was 10.0.0.1.",
            "src:10.0.0.1",
            "GET http://10.0.0.1/path",
        ] {
            assert!(are_in("10.0.0.1", text), "{text}");
        }
        for text in
            ["10.0.0.12", "110.0.0.1", "1.10.0.0.1", "v10.0.0.1", "10.0.0.1x", "10.0.0.1_a", "10,0,0,1"]
        {
            assert!(!are_in("10.0.0.1", text), "{text}");
        }
        for text in
            ["[fe80::1]:8080", "src:fe80::1", "fe80::1: refused", "at fe80::1.", "fe80::1%eth0", "FE80:0::1"]
        {
            assert!(are_in("fe80::1", text), "{text}");
        }
        for text in ["fe80::11", "xfe80::1", "10:20:30", "fe80::1x"] {
            assert!(!are_in("fe80::1", text), "{text}");
        }
    }

    #[test]
    fn the_coarse_pattern_lets_every_address_through() {
        for (addresses, text) in [
            ("10.0.0.1", "at 10.0.0.1:80"),
            ("10.0.0.0/8", "at 10.255.3.77:80"),
            ("::/0", "at ::1"),
            ("::/0", "at 1:2:3:4:5:6:7:8"),
            ("::/0", "at ::ffff:10.0.0.1"),
        ] {
            let pattern = Addresses::parse(addresses).unwrap().coarse_pattern();
            assert!(are_in(addresses, text) && regex::Regex::new(&pattern).unwrap().is_match(text), "{text}");
        }
    }
}
