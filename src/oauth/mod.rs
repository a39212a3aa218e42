//! The endpoints for applications: tokens (RFC 6749 section 3.2), revocation (RFC 7009), introspection (RFC 7662),
//! receipts, and authorization server metadata (RFC 8414).

mod cpanel;
mod error;
mod grant;
mod introspection;
mod metadata;
mod request;

pub use cpanel::ApplicationLink;
pub use error::TokenError;
pub use grant::{grant, token_response};
pub use introspection::introspection_response;
pub use metadata::metadata;
pub use request::{IssuedTokenRequest, ReceiptRequest, TokenParameters, TokenRequest};
