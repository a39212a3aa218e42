//! Sessions as others meet them: who is signed in, the user's own page, and signing out.

mod identity;
mod logout;
mod security;
mod security_page;

pub use identity::{identity, nobody};
pub use logout::{LogoutRequest, logout_page};
pub use security::{FormProof, SecurityForm};
pub use security_page::{SecurityPage, browser, security_page};
