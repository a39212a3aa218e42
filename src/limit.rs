//! Failed attempts at a secret, counted by the runtime's rate-limit binding when there is one. A success is never counted and
//! never refused, so nobody can lock a client out by guessing at its secret.

use crate::http::Failure;
use crate::id::ClientId;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The answer to a failed attempt beyond the limit (RFC 6585 section 4).
pub const TOO_MANY_ATTEMPTS: Failure =
    Failure::of(429, "too_many_requests", "Too many failed attempts. Try again in a minute.").with("Retry-After", "60");

/// The names under which a failed attempt counts: where it came from, and whom it tried to be.
pub fn failure_keys(address: Option<&str>, client_id: Option<&ClientId>) -> Vec<String> {
    let address = address.map(|text| format!("address:{}", network(text, 32)));
    address.into_iter().chain(client_id.map(|id| format!("client:{id}"))).collect()
}

/// The network of an address: in IPv4 by its first `ipv4_bits`, in IPv6 by its first 64, because whoever has one address in
/// IPv6 has 2^64 of them (RFC 6177 section 2). A text that is no address stands for itself.
pub(crate) fn network(address: &str, ipv4_bits: u32) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).to_string(),
        Ok(IpAddr::V4(address)) => {
            let host = u32::MAX.checked_shr(ipv4_bits).unwrap_or_default();
            Ipv4Addr::from_bits(address.to_bits() & !host).to_string()
        }
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_named_by_its_first_address() {
        for (address, bits, expected) in [
            ("192.0.2.77", 24, "192.0.2.0"),
            ("::ffff:192.0.2.77", 24, "192.0.2.0"),
            ("192.0.2.77", 32, "192.0.2.77"),
            ("192.0.2.77", 0, "0.0.0.0"),
            ("2001:db8:1:2:3:4:5:6", 24, "2001:db8:1:2::"),
            ("x", 24, "x"),
        ] {
            assert_eq!(network(address, bits), expected, "{address}/{bits}");
        }
    }

    #[test]
    fn an_attempt_counts_for_its_network_and_its_client() {
        let id = ClientId::parse("portal").unwrap();
        for (address, client_id, keys) in [
            (Some("192.0.2.1"), Some(&id), vec!["address:192.0.2.1", "client:portal"]),
            (Some("::ffff:192.0.2.1"), None, vec!["address:192.0.2.1"]),
            (Some("2001:db8:1:2:3:4:5:6"), None, vec!["address:2001:db8:1:2::"]),
            (Some("unknown"), None, vec!["address:unknown"]),
            (None, Some(&id), vec!["client:portal"]),
            (None, None, vec![]),
        ] {
            assert_eq!(failure_keys(address, client_id), keys, "{address:?} {client_id:?}");
        }
    }
}
