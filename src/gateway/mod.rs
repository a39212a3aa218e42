//! Gateway mode: Signet in front of the client area. What is forwarded, to whom, and with which identity.

mod assertion;
mod headers;
mod protected;

pub use assertion::{Assertion, jwk, signing_input};
pub use headers::is_identity_header;
pub use protected::ProtectedPaths;

/// The client area's server, and what of it is for signed-in users only.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Its origin, without a trailing slash.
    pub origin: String,
    /// Where a session is required.
    pub protected: ProtectedPaths,
}
