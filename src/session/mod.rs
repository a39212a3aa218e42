//! The answers about sessions: who is signed in, the user's page of sessions, and signing out. And the memory for
//! session checks.

mod cache;
mod identity;
mod logout;
mod security;
mod security_page;

pub use cache::SessionCache;
pub use identity::{identity, not_signed_in};
pub use logout::{LogoutRequest, logout_page};
pub use security::{CsrfToken, SecurityForm};
pub use security_page::{SecurityPage, browser, security_page};
