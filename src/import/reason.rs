//! Why a line is refused.

use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// How much of an unknown scope is told back, in characters.
const QUOTED_MAX: usize = 64;

/// Why a line is refused. Nothing of the line is told back but the name of an unknown scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is longer than [`crate::import::LINE_BYTES_MAX`].
    TooLong,
    /// It is not UTF-8.
    NotUtf8,
    /// It is not JSON (RFC 8259).
    NotJson,
    /// It is neither an account nor a credential set.
    NeitherKind,
    /// The User ID is malformed.
    UserId,
    /// The account is not what `PUT /admin/v1/users/{user_id}` takes.
    Account,
    /// The `client_id` is malformed.
    ClientId,
    /// The secret is too short or too long.
    SecretLength,
    /// The secret is too simple to be random. See [`crate::secret::is_weak`].
    WeakSecret,
    /// The credential set is not what `POST /admin/v1/credentials` takes.
    Credential,
    /// The credential set is refused in the words of `POST /admin/v1/credentials`.
    Unfit(&'static str),
    /// There is such a set, and it may sign in somebody else.
    BoundOtherwise,
    /// Another set has the number.
    NumberTaken,
    /// A client of WHMCS's list has not the shape that WHMCS documents.
    Client,
    /// A client of WHMCS's list has no number.
    CredentialId,
    /// A client of WHMCS's list has no secret.
    NoSecret,
    /// A client of WHMCS's list is not for single sign-on.
    GrantTypes,
    /// A client of WHMCS's list has a scope that Signet does not know.
    UnknownScope(String),
    /// A client of WHMCS's list belongs to no service.
    ServiceId,
    /// The service is in no account.
    NoOwner,
}

impl Reason {
    /// The reason why the scope `name` will not do.
    pub fn unknown_scope(name: &str) -> Self {
        Self::UnknownScope(name.chars().take(QUOTED_MAX).collect())
    }

    /// The reason in words.
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
