//! A credential set as it is stored.

use super::Client;
use crate::destination::Scope;
use crate::http::WayBack;
use crate::id::{ClientId, OwnedId, UserId};
use crate::issuer::parse_web_url;
use crate::secret::{Secret, SecretDigest};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A grant type that a credential set may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// The SSO workflow.
    SingleSignOn,
}

impl GrantType {
    /// Every grant type.
    pub const ALL: [Self; 1] = [Self::SingleSignOn];

    /// The grant type named `text` in a token request.
    pub fn parse(text: &str) -> Option<Self> {
        (text == Self::SingleSignOn.as_str()).then_some(Self::SingleSignOn)
    }

    /// Its name in requests and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SingleSignOn => "single_sign_on",
        }
    }
}

/// Whom a credential set may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Binding {
    /// One user.
    Bound {
        /// That user.
        user_id: UserId,
    },
    /// Any user, named in each request.
    Delegated {
        /// Always true.
        delegated: True,
    },
}

/// The JSON literal `true`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "bool", into = "bool")]
pub struct True;

impl TryFrom<bool> for True {
    type Error = &'static str;

    fn try_from(value: bool) -> Result<Self, Self::Error> {
        if value { Ok(Self) } else { Err("must be true") }
    }
}

impl From<True> for bool {
    fn from(_: True) -> Self {
        true
    }
}

impl Binding {
    /// The one user, if it is bound.
    pub const fn user(&self) -> Option<&UserId> {
        match self {
            Self::Bound { user_id } => Some(user_id),
            Self::Delegated { .. } => None,
        }
    }
}

/// The stored forms of a set's secret: the digest, and during a rotation the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSecret {
    /// The digest of the secret.
    digest: SecretDigest,
    /// The digest of the secret before, and when that ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<(SecretDigest, Timestamp)>,
}

impl StoredSecret {
    /// The stored form of no secret: nothing proves it, in the time it takes to prove one.
    pub const NONE: Self = Self { digest: SecretDigest::DUMMY, previous: None };

    /// The stored form of a first secret.
    pub fn new(secret: &Secret) -> Self {
        Self { digest: SecretDigest::of(secret), previous: None }
    }

    /// The stored form after a rotation at `now` to `secret`; the secret before lives on for `overlap` seconds.
    pub fn rotated(self, secret: &Secret, overlap: u64, now: Timestamp) -> Self {
        let previous = (overlap > 0).then(|| (self.digest, now.plus(overlap)));
        Self { digest: SecretDigest::of(secret), previous }
    }

    /// Whether `secret` is the newest one: right, and not only for the overlap of a rotation.
    pub fn is_current(&self, secret: &Secret) -> bool {
        self.digest.verify(secret)
    }

    /// Whether `secret` is right at `now`.
    pub fn verify(&self, secret: &Secret, now: Timestamp) -> bool {
        let previous = self.previous.as_ref().filter(|(_, end)| now < *end);
        // Always two verifications, so that time does not tell whether a rotation is on.
        let is_current = self.digest.verify(secret);
        let is_previous = previous.map_or(&SecretDigest::DUMMY, |(digest, _)| digest).verify(secret);
        is_current | is_previous
    }
}

/// A credential set, under `credential:{client_id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialSet {
    /// Its id.
    pub client_id: ClientId,
    /// A name for people.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The grant types it may use.
    pub grant_types: Vec<GrantType>,
    /// The scopes it may ask for; the base scope is always among them.
    pub scopes: Vec<Scope>,
    /// Whom it may sign in.
    #[serde(flatten)]
    pub binding: Binding,
    /// The service it belongs to, signed into every token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<OwnedId>,
    /// A logo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// The page of its application (RFC 7591 section 2), where people go back to when a link is dead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Redirect URIs, for the record: the workflow redirects to the client area alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<String>,
    /// The number by which WHMCS's API knew it before it was imported; others have that of their `client_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// Whether it is switched off.
    pub disabled: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The stored forms of its secret.
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
    /// Whether the set is of the kind that WHMCS has: bound to one user, by a service. WHMCS's API knows no others, so that its
    /// callers cannot reach a set that signs in anybody.
    pub const fn is_of_service(&self) -> bool {
        self.binding.user().is_some() && self.service_id.is_some()
    }

    /// The way back to its application, if it has a page and is in use.
    pub fn way_back(self) -> Option<WayBack> {
        let page = self.client_uri.filter(|_| !self.disabled).and_then(|uri| parse_web_url(&uri))?;
        Some(WayBack { label: format!("Go back to {}", self.name), address: page.to_string() })
    }

    /// The number by which WHMCS's API knows the set.
    pub fn number(&self) -> u32 {
        self.number.unwrap_or_else(|| self.client_id.number())
    }
}

#[cfg(test)]
mod tests;
