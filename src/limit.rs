//! The limit on failed authentication attempts. The optional rate-limit binding of the Worker counts them by network address and
//! by the client that they name.
//!
//! Signet refuses every request of an address that is over its limit, before it reads the secret or storage. Asking the binding
//! counts as an attempt, so each isolate remembers the addresses that the binding refused. Of a client over its limit Signet
//! refuses only failed attempts: an attacker who guesses its secret cannot lock it out.

use crate::http::{ErrorCode, Failure};
use crate::id::ClientId;
use crate::time::Timestamp;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The answer to an attempt beyond the limit (RFC 6585 section 4).
pub const TOO_MANY_ATTEMPTS: Failure =
    Failure::of(429, ErrorCode::TooManyRequests, "Too many failed attempts. Try again in a minute.")
        .with("Retry-After", "60");

/// The answer to a script of another origin, before Signet reads a secret. Otherwise any page could use up the limit of the people
/// who visit it.
pub const FOREIGN_PAGE: Failure =
    Failure::of(403, ErrorCode::ForeignPage, "A page of another origin cannot call this.");

/// How long an address over its limit is refused, in seconds: the period of the binding in wrangler.toml. The binding does not
/// report when its period began, so a refusal may last longer than the period.
const REFUSED_FOR: u64 = 60;
/// The greatest number of addresses that an isolate remembers.
const REFUSED_MAX: usize = 1_000;

/// The rate-limit key of an address.
pub fn address_key(address: &str) -> String {
    format!("address:{}", network(address, 32))
}

/// The network of an address: its first `ipv4_bits` bits in IPv4, its first 64 bits in IPv6, because the owner of one IPv6
/// address has 2^64 of them (RFC 6177 section 2). A text that is not an address is returned unchanged.
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

/// The rate-limit key of a client.
pub fn client_key(client_id: &ClientId) -> String {
    format!("client:{client_id}")
}

/// The keys of addresses over their limit, and when each refusal ends, in this order. Beyond [`REFUSED_MAX`] the first is removed.
#[derive(Debug, Default)]
pub struct RefusedAddresses(Vec<(String, Timestamp)>);

impl RefusedAddresses {
    /// Adds an address that reached its limit at `now`.
    pub fn add(&mut self, address_key: String, now: Timestamp) {
        self.0.retain(|(key, until)| *key != address_key && now < *until);
        if self.0.len() >= REFUSED_MAX {
            self.0.remove(0);
        }
        self.0.push((address_key, now.plus(REFUSED_FOR)));
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, address_key: &str, now: Timestamp) -> bool {
        self.0.iter().any(|(key, until)| key == address_key && now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::NOW_FOR_TEST as NOW;

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
        for (address, key) in [
            ("192.0.2.1", "address:192.0.2.1"),
            ("::ffff:192.0.2.1", "address:192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::"),
            ("unknown", "address:unknown"),
        ] {
            assert_eq!(address_key(address), key, "{address}");
        }
        assert_eq!(client_key(&ClientId::parse("portal").unwrap()), "client:portal");
    }

    #[test]
    fn an_address_is_refused_for_a_minute() {
        let mut refused = RefusedAddresses::default();
        refused.add("a".into(), NOW);
        for (key, after, is_refused) in
            [("a", 0, true), ("a", 59, true), ("a", 60, false), ("a", 61, false), ("b", 0, false)]
        {
            assert_eq!(refused.contains(key, NOW.plus(after)), is_refused, "{key} after {after} s");
        }
        refused.add("a".into(), NOW.plus(70));
        assert!(refused.contains("a", NOW.plus(129)));
    }

    #[test]
    fn an_attempt_beyond_the_limit_is_not_counted_again() {
        for failure in [TOO_MANY_ATTEMPTS, FOREIGN_PAGE] {
            assert!(!failure.is_failed_attempt, "{failure:?}");
        }
    }

    #[test]
    fn no_more_than_a_thousand_addresses_are_remembered() {
        let mut refused = RefusedAddresses::default();
        for n in 0..1_000 {
            refused.add(n.to_string(), NOW.plus(n / 500));
        }
        refused.add("1".into(), NOW.plus(2));
        assert!(refused.contains("0", NOW.plus(2)), "adding a known address removes no other");
        refused.add("new".into(), NOW.plus(2));
        assert_eq!(refused.0.len(), 1_000);
        let known = |key: &str| refused.contains(key, NOW.plus(3));
        assert!(known("new") && known("1") && known("999") && !known("0"), "the refusal that ends first is removed");
        refused.add("newer".into(), NOW.plus(60));
        assert_eq!(refused.0.len(), 503, "ended refusals are removed");
    }
}
