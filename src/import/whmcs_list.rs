//! The parsing of a saved answer of WHMCS's `ListOAuthCredentials`. Each client of the list counts as a line.

use super::item::parse_secret;
use super::{Content, CredentialEntry, Entry, Item, Reason};
use crate::credential::{CredentialInput, GrantType};
use crate::destination::Scope;
use crate::http::{Failure, parse_number};
use crate::id::{ClientId, OwnedId};
use crate::json::{NumberOrText, parse_object};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::fmt;

/// The greatest length of a list, in bytes: 8 MiB. The whole list is in memory.
pub const LIST_BYTES_MAX: usize = 8_388_608;

/// A list of clients, parsed one by one to save memory.
pub struct WhmcsList(Box<RawValue>);

#[derive(Deserialize)]
struct Answer {
    result: String,
    clients: Box<RawValue>,
}

impl WhmcsList {
    /// Parses a successful answer.
    ///
    /// # Errors
    /// 400.
    pub fn parse(body: &[u8]) -> Result<Self, Failure> {
        const NOT_JSON: Failure = Failure::bad_request("The body is not JSON.");
        const NO_LIST: Failure = Failure::bad_request("The body is not a successful answer of ListOAuthCredentials.");
        let text = std::str::from_utf8(body).map_err(|_| NOT_JSON)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let answer: Answer = parse_object(text).map_err(|error| if error.is_data() { NO_LIST } else { NOT_JSON })?;
        let is_list = answer.result == "success" && answer.clients.get().starts_with('[');
        if is_list { Ok(Self(answer.clients)) } else { Err(NO_LIST) }
    }

    pub fn items(&self) -> impl Iterator<Item = Item> + '_ {
        let text = self.0.get();
        let rest = text.strip_prefix('[').unwrap_or(text);
        let clients = Clients { rest: rest.strip_suffix(']').unwrap_or(rest) };
        clients.zip(1..).map(|(client, line)| Item { line, content: parse_client(client) })
    }
}

/// The elements of a valid JSON array without its brackets.
struct Clients<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Clients<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<&RawValue>();
        let client = values.next()?.ok()?;
        let after = self.rest.get(values.byte_offset()..).unwrap_or_default().trim_start();
        self.rest = after.strip_prefix(',').unwrap_or(after);
        Some(client.get())
    }
}

/// A client as WHMCS lists it. Other fields are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Client {
    client_identifier: String,
    client_secret: String,
    credential_id: NumberOrText,
    grant_types: Texts,
    scope: Texts,
    service_id: Option<NumberOrText>,
    name: Option<String>,
    description: Option<String>,
    logo_uri: Option<String>,
    redirect_uri: Option<Texts>,
}

/// Some fields are a text or a list of texts.
struct Texts(Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextsVisitor;
        impl<'de> Visitor<'de> for TextsVisitor {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or texts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, texts: A) -> Result<Texts, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(texts)).map(Texts)
            }
        }
        deserializer.deserialize_any(TextsVisitor)
    }
}

impl Texts {
    /// The words of all texts.
    fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|text| text.split_ascii_whitespace())
    }

    fn non_empty(self) -> Vec<String> {
        self.0.into_iter().filter(|text| !text.is_empty()).collect()
    }
}

fn parse_client(text: &str) -> Content {
    parse_object(text).map_err(|_| Reason::Client).and_then(Client::into_entry).into()
}

impl Client {
    fn into_entry(self) -> Result<Entry, Reason> {
        let client_id = ClientId::parse(&self.client_identifier).ok_or(Reason::ClientId)?;
        let number = parse_number(&self.credential_id.into_text()).and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| *number > 0).ok_or(Reason::CredentialId)?;
        if !self.grant_types.words().any(|name| name == GrantType::SingleSignOn.as_str()) {
            return Err(Reason::GrantTypes);
        }
        if self.client_secret.is_empty() {
            return Err(Reason::NoSecret);
        }
        let secret = parse_secret(self.client_secret)?;
        let scopes = self.scope.words().map(|name| Scope::parse(name).ok_or_else(|| Reason::unknown_scope(name)));
        let scopes = scopes.collect::<Result<_, _>>()?;
        let service = self.service_id.and_then(|id| OwnedId::parse(&id.into_text())).ok_or(Reason::ServiceId)?;
        let is_given = |text: &String| !text.is_empty();
        let input = CredentialInput {
            description: self.description.unwrap_or_default(),
            logo_uri: self.logo_uri.filter(is_given),
            redirect_uris: self.redirect_uri.map(Texts::non_empty).unwrap_or_default(),
            ..CredentialInput::of_service(service.clone(), self.name.filter(is_given), scopes)
        };
        let entry = CredentialEntry { client_id, secret, number: Some(number), input, owner_of: Some(service) };
        Ok(Entry::Credential(Box::new(entry)))
    }
}

#[cfg(test)]
mod tests;
