//! The SSO token: minting, opening, and the record kept of it.

mod claims;
mod record;

pub use claims::{Claims, TOKEN_BYTES_MAX, TOKEN_TTL_MAX, TokenRefusal, open};
pub use record::TokenRecord;
