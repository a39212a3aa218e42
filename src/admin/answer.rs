//! The JSON of the administration API's answers.

use crate::credential::CredentialSet;
use crate::id::UserId;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::token::TokenRecord;
use crate::user::{Account, Event, Fate, Session, TokenFate};
use serde_json::{Value, json};

/// An account.
pub fn account_json(user: &UserId, account: &Account) -> Value {
    json!({
        "user_id": user,
        "status": account.status,
        "sso": account.sso,
        "services": account.services,
        "domains": account.domains,
        "created_at": account.created_at,
        "updated_at": account.updated_at,
    })
}

/// A session, as administrators and `/oauth/session` show it.
pub fn session_json(session: &Session) -> Value {
    json!({
        "session_id": session.id,
        "client_id": session.client_id,
        "jti": session.token,
        "destination": session.destination,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "expires_at": session.expires_at(),
        "address": session.address,
        "user_agent": session.user_agent,
    })
}

/// A page of the audit trail. `limit` is what was asked for; a full page has a cursor to the next.
pub fn event_page_json(events: &[(u64, Event)], limit: u64) -> Value {
    let cursor = events.last().filter(|_| events.len() as u64 == limit).map(|(number, _)| number.to_string());
    let events: Vec<_> = events.iter().map(|(_, event)| event).collect();
    json!({"events": events, "cursor": cursor})
}

/// A credential set; with its secret only when that is new.
///
/// # Errors
/// When it has no JSON form, which cannot be.
pub fn credential_json(set: &CredentialSet, secret: Option<&Secret>) -> serde_json::Result<Value> {
    let mut value = set.to_public_json()?;
    if let (Some(fields), Some(secret)) = (value.as_object_mut(), secret) {
        fields.insert("client_secret".to_owned(), secret.expose().into());
    }
    Ok(value)
}

/// A token's record and what became of it: `pending`, `signed_in`, `denied`, `revoked` or `expired`.
///
/// # Errors
/// When it has no JSON form, which cannot be.
pub fn token_json(record: &TokenRecord, fate: Option<&TokenFate>, now: Timestamp) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(record)?;
    let (state, reason) = match fate.map(|fate| fate.fate) {
        Some(Fate::SignedIn) => ("signed_in", None),
        Some(Fate::Denied(denial)) => ("denied", Some(denial.reason())),
        Some(Fate::Revoked) => ("revoked", None),
        None if now >= record.expires_at => ("expired", None),
        None => ("pending", None),
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert("state".to_owned(), state.into());
        fields.insert("reason".to_owned(), reason.into());
        fields.insert("settled_at".to_owned(), fate.map(|fate| fate.at.seconds()).into());
    }
    Ok(value)
}
