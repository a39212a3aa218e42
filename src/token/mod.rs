//! SSO tokens: minting, verification, and the stored record of each.

mod claims;
mod mint;
mod record;

#[cfg(test)]
pub(crate) use claims::tests::claims as claims_for_test;
pub use claims::{Claims, TOKEN_TTL_MAX, TokenRefusal, open};
pub use mint::{Grant, SsoToken};
pub use record::{KnownToken, TokenRecord, unrecorded_json};
