//! Anonymizes the visitor's address for the column `remote_ip`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// IP_ANONYMIZATION.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IpAnonymization {
    /// The column stays empty.
    #[default]
    Drop,
    /// The network: /24 of IPv4, /48 of IPv6. Other texts are dropped.
    Truncate,
    /// The whole address.
    Full,
}

/// The setting has another value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not drop, truncate or full")]
pub struct BadAnonymization(String);

impl FromStr for IpAnonymization {
    type Err = BadAnonymization;

    fn from_str(text: &str) -> Result<Self, BadAnonymization> {
        match text.trim().to_ascii_lowercase().as_str() {
            "drop" => Ok(Self::Drop),
            "truncate" => Ok(Self::Truncate),
            "full" => Ok(Self::Full),
            _ => Err(BadAnonymization(text.to_owned())),
        }
    }
}

impl IpAnonymization {
    /// The part of `httpRequest.remoteIp` to store. Regional load balancers write `203.0.113.7:60102`.
    pub fn apply(self, address: &str) -> Option<String> {
        let address = address.trim();
        let parsed = address.parse::<SocketAddr>().map(|socket| socket.ip()).or_else(|_| {
            let bracketed = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            bracketed.unwrap_or(address).parse::<IpAddr>()
        });
        match (self, parsed) {
            (Self::Drop, _) | (Self::Truncate, Err(_)) => None,
            (Self::Truncate, Ok(ip)) => Some(network(ip).to_string()),
            (Self::Full, Ok(ip)) => Some(ip.to_string()),
            (Self::Full, Err(_)) => Some(address.to_owned()),
        }
    }
}

/// The address with all bits after the network set to 0.
fn network(ip: IpAddr) -> IpAddr {
    // `::ffff:203.0.113.7` is an IPv4 address.
    match ip.to_canonical() {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() & (!0 << 8)).into(),
        // 6to4 has the whole IPv4 address in its first 48 bits.
        IpAddr::V6(ip) if ip.segments()[0] == 0x2002 => Ipv6Addr::from_bits(ip.to_bits() & (!0 << 88)).into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & (!0 << 80)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_port_and_are_anonymized() {
        for (address, truncated, full) in [
            ("203.0.113.7", Some("203.0.113.0"), "203.0.113.7"),
            ("203.0.113.7:60102", Some("203.0.113.0"), "203.0.113.7"),
            ("255.255.255.255", Some("255.255.255.0"), "255.255.255.255"),
            ("2001:db8:85a3:1:2:8a2e:370:7334", Some("2001:db8:85a3::"), "2001:db8:85a3:1:2:8a2e:370:7334"),
            ("[2001:db8:85a3:1:2:8a2e:370:7334]:60102", Some("2001:db8:85a3::"), "2001:db8:85a3:1:2:8a2e:370:7334"),
            ("[2001:db8:85a3::1]", Some("2001:db8:85a3::"), "2001:db8:85a3::1"),
            ("::ffff:203.0.113.7", Some("203.0.113.0"), "::ffff:203.0.113.7"),
            ("[::ffff:203.0.113.7]:60102", Some("203.0.113.0"), "::ffff:203.0.113.7"),
            ("2002:cb00:7107:1::1", Some("2002:cb00:7100::"), "2002:cb00:7107:1::1"),
            ("64:ff9b::cb00:7107", Some("64:ff9b::"), "64:ff9b::cb00:7107"),
            ("::1", Some("::"), "::1"),
            (" 203.0.113.7 ", Some("203.0.113.0"), "203.0.113.7"),
            // No addresses.
            ("203.0.113.7, 10.0.0.1", None, "203.0.113.7, 10.0.0.1"),
            ("203.0.113.007", None, "203.0.113.007"),
            ("203.0.113.7:port", None, "203.0.113.7:port"),
            ("fe80::1%eth0", None, "fe80::1%eth0"),
            ("unknown", None, "unknown"),
            ("", None, ""),
        ] {
            assert_eq!(IpAnonymization::Drop.apply(address), None, "{address}");
            assert_eq!(IpAnonymization::Truncate.apply(address).as_deref(), truncated, "{address}");
            assert_eq!(IpAnonymization::Full.apply(address).as_deref(), Some(full), "{address}");
        }
    }

    #[test]
    fn the_setting_has_three_values() {
        assert_eq!(" Truncate".parse(), Ok(IpAnonymization::Truncate));
        assert_eq!("on".parse::<IpAnonymization>(), Err(BadAnonymization("on".to_owned())));
    }
}
