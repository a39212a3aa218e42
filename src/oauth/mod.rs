//! The token endpoint (RFC 6749 section 3.2).

mod error;
mod grant;
mod request;

pub use error::{ClientProblem, TokenError};
pub use grant::{Grant, grant};
pub use request::TokenRequest;
