//! The input of administrators for new and changed credential sets.

use super::{CredentialSet, GrantType, StoredSecret};
use crate::destination::Scope;
use crate::id::{ClientId, OwnedId, UserId};
use crate::issuer::parse_web_url;
use crate::json::given;
use crate::secret::Secret;
use crate::time::Timestamp;
use serde::Deserialize;

/// The longest name, in characters.
const NAME_MAX: usize = 128;
/// The longest other text, in characters.
const TEXT_MAX: usize = 1024;
const REDIRECT_URIS_MAX: usize = 20;

/// A new credential set, with either `user_id` or `delegated: true`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialInput {
    /// The name shown to people.
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default = "single_sign_on")]
    pub grant_types: Vec<GrantType>,
    pub scopes: Vec<Scope>,
    /// The one user whom the set may sign in.
    pub user_id: Option<UserId>,
    /// Whether the set may sign in any user.
    #[serde(default)]
    pub delegated: bool,
    /// The service to which the set belongs.
    pub service_id: Option<OwnedId>,
    pub logo_uri: Option<String>,
    /// The page of the application.
    pub client_uri: Option<String>,
    /// Stored for information: the workflow redirects to the client area only.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    #[serde(default)]
    pub disabled: bool,
}

fn single_sign_on() -> Vec<GrantType> {
    vec![GrantType::SingleSignOn]
}

/// A change of a credential set. Missing fields keep their value, and an explicit `null` removes an optional value. The
/// binding cannot be changed.
#[expect(clippy::option_option, reason = "`null` removes a value, and a missing field leaves it")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialChange {
    #[serde(default, deserialize_with = "given")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub grant_types: Option<Vec<GrantType>>,
    #[serde(default, deserialize_with = "given")]
    pub scopes: Option<Vec<Scope>>,
    #[serde(default, deserialize_with = "given")]
    pub service_id: Option<Option<OwnedId>>,
    #[serde(default, deserialize_with = "given")]
    pub logo_uri: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    pub client_uri: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    pub redirect_uris: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    pub disabled: Option<bool>,
}

impl CredentialInput {
    /// A set of `service`. The caller adds the owner as `user_id`. Without a name, the set has the name of the service.
    pub fn of_service(service: OwnedId, name: Option<String>, scopes: Vec<Scope>) -> Self {
        Self {
            name: name.unwrap_or_else(|| format!("Service {service}")),
            grant_types: single_sign_on(),
            scopes,
            service_id: Some(service),
            ..Self::default()
        }
    }

    /// # Errors
    /// The first problem, as a sentence for the administrator.
    pub fn into_set(self, client_id: ClientId, secret: &Secret, now: Timestamp) -> Result<CredentialSet, &'static str> {
        if self.user_id.is_some() == self.delegated {
            return Err("Give either user_id or \"delegated\": true.");
        }
        check(CredentialSet {
            client_id,
            name: self.name,
            description: self.description,
            grant_types: self.grant_types,
            scopes: add_base_scope(self.scopes),
            user_id: self.user_id,
            delegated: self.delegated,
            service_id: self.service_id,
            logo_uri: self.logo_uri,
            client_uri: self.client_uri,
            redirect_uris: self.redirect_uris,
            number: None,
            disabled: self.disabled,
            created_at: now,
            updated_at: now,
            secret: StoredSecret::new(secret),
        })
    }
}

impl CredentialChange {
    /// # Errors
    /// The first problem, as a sentence for the administrator.
    pub fn apply(self, set: CredentialSet, now: Timestamp) -> Result<CredentialSet, &'static str> {
        check(CredentialSet {
            name: self.name.unwrap_or(set.name),
            description: self.description.unwrap_or(set.description),
            grant_types: self.grant_types.unwrap_or(set.grant_types),
            scopes: self.scopes.map_or(set.scopes, add_base_scope),
            service_id: self.service_id.unwrap_or(set.service_id),
            logo_uri: self.logo_uri.unwrap_or(set.logo_uri),
            client_uri: self.client_uri.unwrap_or(set.client_uri),
            redirect_uris: self.redirect_uris.unwrap_or(set.redirect_uris),
            disabled: self.disabled.unwrap_or(set.disabled),
            updated_at: now,
            ..set
        })
    }
}

/// Adds the base scope as the first, and removes duplicates.
fn add_base_scope(scopes: Vec<Scope>) -> Vec<Scope> {
    let mut unique = vec![Scope::BASE];
    for scope in scopes {
        if !unique.contains(&scope) {
            unique.push(scope);
        }
    }
    unique
}

fn check(set: CredentialSet) -> Result<CredentialSet, &'static str> {
    let is_text = |text: &str, longest| text.chars().count() <= longest && !text.chars().any(char::is_control);
    // A description may have several lines.
    let description = set.description.replace(['\t', '\n', '\r'], " ");
    if set.name.is_empty() || !is_text(&set.name, NAME_MAX) {
        return Err("The name must have 1 to 128 characters.");
    }
    let texts_are_valid = set
        .redirect_uris
        .iter()
        .chain(&set.logo_uri)
        .chain(&set.client_uri)
        .chain([&description])
        .all(|text| is_text(text, TEXT_MAX));
    if !texts_are_valid || set.redirect_uris.len() > REDIRECT_URIS_MAX {
        return Err(
            "A text is longer than 1024 characters or has control characters, or there are more than 20 redirect_uris.",
        );
    }
    // Pages link to this address.
    if set.client_uri.as_deref().is_some_and(|uri| parse_web_url(uri).is_none()) {
        return Err("The client_uri must be an https address without user and fragment (http only for localhost).");
    }
    Ok(set)
}
