//! Networks as configuration files write them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network, its host bits zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// The network of an address; `None` when no address of this family has such a prefix.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let shift = |bits: u32| bits.checked_sub(u32::from(prefix));
        let address = match address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(shift(32)?).unwrap_or(0);
                Ipv4Addr::from_bits(address.to_bits() & mask).into()
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(shift(128)?).unwrap_or(0);
                Ipv6Addr::from_bits(address.to_bits() & mask).into()
            }
        };
        Some(Self { address, prefix })
    }

    /// `10.8.0.0 255.255.0.0`; `None` unless the mask's ones come before its zeros.
    pub fn with_netmask(address: Ipv4Addr, netmask: Ipv4Addr) -> Option<Self> {
        Self::new(address.into(), prefix(netmask)?)
    }
}

/// Leading ones of a mask; `None` for what is no mask, such as the peer address of a `net30` topology.
pub(crate) fn prefix(netmask: Ipv4Addr) -> Option<u8> {
    let bits = netmask.to_bits();
    let ones = bits.leading_ones();
    (bits.count_ones() == ones).then(|| u8::try_from(ones).unwrap_or(32))
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix)
    }
}

/// Not `ADDRESS/PREFIX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a network")]
pub struct NotANetwork;

impl FromStr for Network {
    type Err = NotANetwork;

    /// `10.8.0.0/16` or `fd00::/64`.
    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = text.split_once('/').ok_or(NotANetwork)?;
        let parsed = address.parse().ok().zip(prefix.parse().ok());
        parsed
            .and_then(|(address, prefix)| Self::new(address, prefix))
            .ok_or(NotANetwork)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> Option<String> {
        text.parse::<Network>().ok().map(|network| network.to_string())
    }

    #[test]
    fn host_bits_are_zero_in_every_family_and_at_every_edge() {
        assert_eq!(masked("10.8.1.7/16").as_deref(), Some("10.8.0.0/16"));
        assert_eq!(masked("10.8.1.7/0").as_deref(), Some("0.0.0.0/0"));
        assert_eq!(masked("10.8.1.7/32").as_deref(), Some("10.8.1.7/32"));
        assert_eq!(masked("fd42:77::1/64").as_deref(), Some("fd42:77::/64"));
        assert_eq!(masked("fd42:77::1/0").as_deref(), Some("::/0"));
        for wrong in [
            "10.8.0.0/33",
            "fd00::/129",
            "10.8.0.0",
            "x/8",
            "10.8.0.0/-1",
            "10.8.0.0/",
        ] {
            assert_eq!(masked(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_mask_with_holes_is_none() {
        let with = |mask: &str| Network::with_netmask([10, 8, 1, 7].into(), mask.parse().unwrap());
        assert_eq!(
            with("255.255.255.0").map(|network| network.to_string()).as_deref(),
            Some("10.8.1.0/24")
        );
        assert_eq!(with("255.0.255.0"), None);
        assert_eq!(with("10.8.0.5"), None);
    }
}
