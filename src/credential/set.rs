//! A stored credential set.

use super::Client;
use crate::destination::Scope;
use crate::http::ReturnLink;
use crate::id::{ClientId, OwnedId, UserId};
use crate::issuer::parse_web_url;
use crate::secret::{Secret, SecretDigest};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    SingleSignOn,
}

impl GrantType {
    pub const ALL: [Self; 1] = [Self::SingleSignOn];

    pub fn parse(text: &str) -> Option<Self> {
        (text == Self::SingleSignOn.as_str()).then_some(Self::SingleSignOn)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SingleSignOn => "single_sign_on",
        }
    }
}

/// The digest of a client's secret, and during a rotation that of the previous secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSecret {
    digest: SecretDigest,
    /// The digest of the previous secret, and the moment at which that secret becomes invalid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<(SecretDigest, Timestamp)>,
}

impl StoredSecret {
    /// Verifies no secret, in the time of a real verification.
    pub const NONE: Self = Self { digest: SecretDigest::DUMMY, previous: None };

    pub fn new(secret: &Secret) -> Self {
        Self { digest: SecretDigest::of(secret), previous: None }
    }

    /// Rotates to `secret` at `now`. The previous secret stays valid for `overlap` seconds.
    pub fn rotate(self, secret: &Secret, overlap: u64, now: Timestamp) -> Self {
        let previous = (overlap > 0).then(|| (self.digest, now.plus(overlap)));
        Self { digest: SecretDigest::of(secret), previous }
    }

    /// Whether `secret` is the newest secret, and not one that is valid only during the overlap of a rotation.
    pub fn is_current(&self, secret: &Secret) -> bool {
        self.digest.verify(secret)
    }

    /// Whether `secret` is valid at `now`.
    pub fn verify(&self, secret: &Secret, now: Timestamp) -> bool {
        let previous = self.previous.as_ref().filter(|(_, end)| now < *end);
        let digest = SecretDigest::of(secret);
        // There are always two comparisons, so that their time does not disclose a rotation.
        let is_current = self.digest.matches(&digest);
        let is_previous = previous.map_or(&SecretDigest::DUMMY, |(digest, _)| digest).matches(&digest);
        is_current | is_previous
    }
}

/// A credential set as KV stores it under `credential:{client_id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialSet {
    pub client_id: ClientId,
    /// The name shown to people.
    pub name: String,
    pub description: String,
    pub grant_types: Vec<GrantType>,
    /// The scopes that the client may request. The base scope is always one of them.
    pub scopes: Vec<Scope>,
    /// The one user whom the set may sign in; `None` for a delegated set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Whether the set may sign in any user. Each request contains the user.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delegated: bool,
    /// The service to which the set belongs. Every token contains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<OwnedId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// The page of the application (RFC 7591 section 2). Pages of failed sign-ins link to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Stored for information: the workflow redirects to the client area only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<String>,
    /// The number of an imported set in WHMCS's API. Other sets have a number computed from the `client_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    pub disabled: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub secret: StoredSecret,
}

impl Client for CredentialSet {
    fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    fn secret(&self) -> &StoredSecret {
        &self.secret
    }

    fn is_disabled(&self) -> bool {
        self.disabled
    }
}

impl CredentialSet {
    /// Whether the set is bound to one user and belongs to a service, as every set in WHMCS does. WHMCS's API returns and
    /// changes only these, so that its callers cannot use a set that may sign in any user.
    pub const fn is_of_service(&self) -> bool {
        self.user_id.is_some() && self.service_id.is_some()
    }

    /// The link to the page of the application. Disabled sets have none.
    pub fn into_return_link(self) -> Option<ReturnLink> {
        let page = self.client_uri.filter(|_| !self.disabled).and_then(|uri| parse_web_url(&uri))?;
        Some(ReturnLink { label: format!("Go back to {}", self.name), address: page.to_string() })
    }

    /// The number of the set in WHMCS's API.
    pub fn number(&self) -> u32 {
        self.number.unwrap_or_else(|| self.client_id.number())
    }
}

#[cfg(test)]
mod tests;
