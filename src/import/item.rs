//! The parsing of one line of an import.

use super::{CredentialEntry, RawLine, Reason};
use crate::credential::CredentialInput;
use crate::id::{ClientId, UserId};
use crate::json::{self, parse_object};
use crate::secret::{Secret, is_weak};
use crate::user::AccountInput;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

/// The least and the greatest length of a secret, in characters.
const SECRET_MIN: usize = 32;
const SECRET_MAX: usize = 1024;

/// A parsed line.
#[derive(Debug)]
pub struct Item {
    /// The number of the line, from 1.
    pub line: u64,
    pub content: Content,
}

#[derive(Debug)]
pub enum Content {
    Blank,
    Entry(Entry),
    Refused(Reason),
}

/// An account or a credential set to write.
#[derive(Debug)]
pub enum Entry {
    /// An account, as in `PUT /admin/v1/users/{user_id}`.
    Account(UserId, AccountInput),
    Credential(Box<CredentialEntry>),
}

/// A line as JSON. It has the fields of an account or those of a credential set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonLine<'a> {
    #[serde(borrow, default)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    account: Option<&'a RawValue>,
    #[serde(borrow, default)]
    client_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    client_secret: Option<&'a RawValue>,
    #[serde(borrow, default)]
    credential: Option<&'a RawValue>,
}

impl Item {
    /// Parses a line of newline-delimited JSON.
    pub fn parse(line: &RawLine) -> Self {
        let content = match line.bytes.as_deref() {
            None => Content::Refused(Reason::TooLong),
            Some(bytes) if bytes.trim_ascii().is_empty() => Content::Blank,
            Some(bytes) => Entry::parse(bytes).into(),
        };
        Self { line: line.number, content }
    }
}

impl From<Result<Entry, Reason>> for Content {
    fn from(parsed: Result<Entry, Reason>) -> Self {
        parsed.map_or_else(Self::Refused, Self::Entry)
    }
}

impl Entry {
    fn parse(bytes: &[u8]) -> Result<Self, Reason> {
        let text = std::str::from_utf8(bytes).map_err(|_| Reason::NotUtf8)?;
        let line: JsonLine<'_> = parse_object(text).map_err(|_| {
            let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
            if is_json { Reason::NeitherKind } else { Reason::NotJson }
        })?;
        match line {
            JsonLine {
                user_id: Some(user),
                account: Some(account),
                client_id: None,
                client_secret: None,
                credential: None,
            } => Ok(Self::Account(parse(user, Reason::UserId)?, parse_fields(account, Reason::Account)?)),
            JsonLine {
                user_id: None,
                account: None,
                client_id: Some(id),
                client_secret: Some(secret),
                credential: Some(input),
            } => {
                let client_id: ClientId = parse(id, Reason::ClientId)?;
                let secret = parse_secret(parse(secret, Reason::SecretLength)?)?;
                let input: CredentialInput = parse_fields(input, Reason::Credential)?;
                let entry = CredentialEntry { client_id, secret, number: None, input, owner_of: None };
                Ok(Self::Credential(Box::new(entry)))
            }
            _ => Err(Reason::NeitherKind),
        }
    }
}

fn parse<T: DeserializeOwned>(value: &RawValue, reason: Reason) -> Result<T, Reason> {
    json::parse(value.get()).map_err(|_| reason)
}

fn parse_fields<T: DeserializeOwned>(value: &RawValue, reason: Reason) -> Result<T, Reason> {
    parse_object(value.get()).map_err(|_| reason)
}

/// Accepts a secret that is long and random enough to be stored as a digest, and short enough to be sent.
pub(super) fn parse_secret(text: String) -> Result<Secret, Reason> {
    if !(SECRET_MIN..=SECRET_MAX).contains(&text.chars().count()) {
        return Err(Reason::SecretLength);
    }
    if is_weak(text.as_bytes()) { Err(Reason::WeakSecret) } else { Ok(Secret::new(text)) }
}

#[cfg(test)]
mod tests;
