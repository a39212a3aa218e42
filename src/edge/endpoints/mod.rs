//! The endpoints: one file for each group of routes. No endpoint imports another.

pub(super) mod admin;
pub(super) mod console;
#[cfg(feature = "demo")]
pub(super) mod demo;
pub(super) mod discovery;
pub(super) mod gateway;
pub(super) mod health;
pub(super) mod import;
pub(super) mod issued_tokens;
pub(super) mod session;
pub(super) mod sso;
pub(super) mod token;
pub(super) mod whmcs;
