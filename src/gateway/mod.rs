//! Gateway mode: Signet in front of the client area. What is forwarded, to whom, and with which identity.

mod assertion;
mod cookies;
mod headers;
mod protected;
mod socket;

pub use assertion::{Assertion, jwk, signing_input};
pub use cookies::{is_own_cookie, without_own_cookies};
pub use headers::{is_removed, made_private};
pub use protected::ProtectedPaths;
pub use socket::{CHECK_EVERY, GOING_AWAY, INTERNAL_ERROR, POLICY_VIOLATION, is_foreign_handshake, relayed_close};

/// The client area's server, and what of it is for signed-in users only.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Its origin, without a trailing slash.
    pub origin: String,
    /// Where a session is required.
    pub protected: ProtectedPaths,
}
