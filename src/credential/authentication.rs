//! The authentication of clients by their id and secret (RFC 6749 section 2.3).

use super::StoredSecret;
use crate::id::ClientId;
use crate::secret::Secret;
use crate::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

/// The credentials that a client presents.
#[derive(Debug)]
pub struct ClientAuthentication {
    pub client_id: ClientId,
    pub secret: Secret,
    /// The secret in the header before form-decoding (RFC 6749 section 2.3.1), if that changed it: many clients send it without
    /// the encoding.
    pub undecoded_secret: Option<Secret>,
}

/// Why a client is not authenticated. Only the log contains the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientProblem {
    /// The credentials are missing or malformed.
    NoCredentials,
    /// The id is unknown or the secret is wrong.
    WrongCredentials,
    Disabled,
}

impl ClientProblem {
    /// The reason in the log.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::WrongCredentials => "wrong_credentials",
            Self::Disabled => "credential_disabled",
        }
    }
}

/// A stored client.
pub trait Client {
    fn client_id(&self) -> &ClientId;
    fn secret(&self) -> &StoredSecret;
    fn is_disabled(&self) -> bool {
        false
    }
}

impl ClientAuthentication {
    /// Credentials from the parameters of a form. `None` if the id is malformed.
    pub fn parse(client_id: &str, secret: &str) -> Option<Self> {
        let client_id = ClientId::parse(client_id)?;
        Some(Self { client_id, secret: Secret::new(secret), undecoded_secret: None })
    }

    /// The credentials of HTTP Basic (RFC 7617), whose parts are form-encoded (RFC 6749 section 2.3.1).
    pub fn parse_basic(encoded: &str) -> Option<Self> {
        let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (id, secret) = pair.split_once(':')?;
        let decoded = decode_form(secret).unwrap_or_else(|| secret.to_owned());
        if decoded.is_empty() {
            return None;
        }
        Some(Self {
            client_id: decode_form(id).and_then(|id| ClientId::parse(&id)).or_else(|| ClientId::parse(id))?,
            undecoded_secret: (decoded != secret).then(|| Secret::new(secret)),
            secret: Secret::new(decoded),
        })
    }

    /// Returns the `stored` client if the credentials are valid at `now`. The check of an unknown client takes as long as that
    /// of a known one.
    ///
    /// # Errors
    /// [`ClientProblem::WrongCredentials`], or [`ClientProblem::Disabled`] if the credentials are valid.
    pub fn authenticate<'a, C: Client>(&self, stored: Option<&'a C>, now: Timestamp) -> Result<&'a C, ClientProblem> {
        let secret = stored.map_or(&StoredSecret::NONE, C::secret);
        let is_valid = secret.verify(&self.secret, now);
        let is_valid_undecoded = self.undecoded_secret.as_ref().is_some_and(|text| secret.verify(text, now));
        let is_same_client = stored.is_some_and(|client| *client.client_id() == self.client_id);
        let is_authenticated = (is_valid | is_valid_undecoded) & is_same_client;
        let client = stored.filter(|_| is_authenticated).ok_or(ClientProblem::WrongCredentials)?;
        if client.is_disabled() { Err(ClientProblem::Disabled) } else { Ok(client) }
    }
}

fn decode_form(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(String::from)
}
