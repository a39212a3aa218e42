//! Why a line is refused.

use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// How much of an unknown scope is quoted, in characters.
const QUOTED_MAX: usize = 64;

/// Why a line is refused. Of the line, only the name of an unknown scope is quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    TooLong,
    NotUtf8,
    NotJson,
    NeitherKind,
    UserId,
    Account,
    ClientId,
    SecretLength,
    /// See [`crate::secret::is_weak`].
    WeakSecret,
    Credential,
    /// The message with which `POST /admin/v1/credentials` refuses the set.
    Unfit(&'static str),
    /// The stored set has another binding.
    BoundOtherwise,
    NumberTaken,
    /// A client of WHMCS's list lacks a field, or has one of another type.
    Client,
    CredentialId,
    NoSecret,
    GrantTypes,
    UnknownScope(String),
    ServiceId,
    NoOwner,
}

impl Reason {
    pub fn unknown_scope(name: &str) -> Self {
        Self::UnknownScope(name.chars().take(QUOTED_MAX).collect())
    }

    pub fn text(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::TooLong => "The line is longer than 64 KiB.",
            Self::NotUtf8 => "The line is not UTF-8.",
            Self::NotJson => "The line is not JSON.",
            Self::NeitherKind => {
                "The line is neither user_id and account, nor client_id, client_secret and credential."
            }
            Self::UserId => "The user_id is malformed.",
            Self::Account => "The account has an unknown, missing or invalid field.",
            Self::ClientId => "The client_id is malformed.",
            Self::SecretLength => "The secret must have 32 to 1024 characters.",
            Self::WeakSecret => "The secret has fewer than 6 different characters, or repeats one text.",
            Self::Credential => "The credential has an unknown, missing or invalid field.",
            Self::Unfit(text) => text,
            Self::BoundOtherwise => "There is such a credential set, and whom it may sign in never changes.",
            Self::NumberTaken => "The number of the credential set belongs to another client_id.",
            Self::Client => "The client has a missing field, or one of another type than in WHMCS.",
            Self::CredentialId => "The credentialId is not a number from 1 to 4294967295.",
            Self::NoSecret => "The clientSecret is empty: this list does not show it.",
            Self::GrantTypes => "The grantTypes do not include single_sign_on.",
            Self::UnknownScope(name) => return Cow::Owned(format!("The scope \"{name}\" is unknown.")),
            Self::ServiceId => "The serviceId is missing or malformed.",
            Self::NoOwner => "The service is not any user's.",
        })
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}
