//! The answers about sessions: who is signed in, the user's page of sessions, and signing out.

mod identity;
mod logout;
mod security;
mod security_page;

pub use identity::{identity, nobody, session_json};
pub use logout::{LogoutRequest, logout_page};
pub use security::{CsrfToken, SecurityForm};
pub use security_page::{SecurityPage, browser, security_page};

/// A session whose fields are those of `changes`, and fixed values otherwise.
#[cfg(test)]
pub(crate) fn session_for_test(changes: &serde_json::Value) -> crate::user::Session {
    let mut session = serde_json::json!({
        "id": "AgICAgICAgICAgICAgICAg", "token": "AQEBAQEBAQEBAQEBAQEBAQ", "client_id": "portal",
        "destination": "clientarea:invoices", "created_at": 1, "last_seen_at": 2, "idle_seconds": 60,
        "max_expires_at": 1_000, "address": "192.0.2.1", "user_agent": null,
    });
    session.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    serde_json::from_value(session).unwrap()
}
