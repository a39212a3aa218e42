//! The addresses from which an API credential may be used.

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::net::IpAddr;

/// A single address, or a range in CIDR notation (RFC 4632, RFC 4291 section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AddressRange(IpNet);

impl AddressRange {
    /// Parses a range. A range of IPv4 addresses mapped into IPv6 becomes a range of IPv4 addresses.
    pub fn parse(text: &str) -> Option<Self> {
        let range: IpNet = text.parse().ok().or_else(|| text.parse().ok().map(IpAddr::into))?;
        let mapped = match (range.addr().to_canonical(), range.prefix_len().checked_sub(96)) {
            (address @ IpAddr::V4(_), Some(length)) => IpNet::new(address, length).ok(),
            _ => None,
        };
        Some(Self(mapped.unwrap_or(range)))
    }

    /// The text of the range. The text of a single address has no prefix length.
    pub fn to_text(self) -> String {
        if self.0.prefix_len() == self.0.max_prefix_len() { self.0.addr().to_string() } else { self.0.to_string() }
    }

    /// Whether the range contains `address`. An IPv4 address mapped into IPv6 counts as the IPv4 address.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl<'de> Deserialize<'de> for AddressRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not an address range"))
    }
}
