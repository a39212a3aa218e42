//! Gateway mode: Signet is a reverse proxy for the client area, and adds the identity of the signed-in user.

mod assertion;
mod cookies;
mod headers;
mod protected;
mod readings;
mod socket;

pub use assertion::{Assertion, jwk, signing_input};
pub use cookies::{is_own_cookie, without_own_cookies};
pub use headers::{is_removed, made_private};
pub use protected::ProtectedPaths;
pub use socket::{CHECK_EVERY, GOING_AWAY, INTERNAL_ERROR, POLICY_VIOLATION, is_foreign_handshake, relayed_close};

/// The settings of gateway mode.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// The origin of the client area's server, without a trailing slash.
    pub origin: String,
    /// The paths that require a session.
    pub protected: ProtectedPaths,
}
