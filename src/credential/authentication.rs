//! The authentication of clients: what they present, and whether it proves who they are.

use super::StoredSecret;
use crate::id::ClientId;
use crate::secret::Secret;
use crate::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

/// What a client presents to prove who it is.
#[derive(Debug)]
pub struct ClientAuthentication {
    /// Its id.
    pub client_id: ClientId,
    /// Its secret.
    pub secret: Secret,
    /// The secret as it stood in the header, if form-decoding (RFC 6749 section 2.3.1) changed it:
    /// many clients leave the encoding out.
    pub undecoded_secret: Option<Secret>,
}

/// Why a client is not authenticated, for the log alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientProblem {
    /// It presented nothing, or something malformed.
    NoCredentials,
    /// The id is unknown or the secret is wrong.
    WrongCredentials,
    /// The client is disabled.
    Disabled,
}

impl ClientProblem {
    /// The problem's stable name for the log.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::WrongCredentials => "wrong_credentials",
            Self::Disabled => "credential_disabled",
        }
    }
}

/// A client as it is stored.
pub trait Client {
    /// Its id.
    fn client_id(&self) -> &ClientId;
    /// The stored form of its secret.
    fn secret(&self) -> &StoredSecret;
    /// Whether it is disabled.
    fn is_disabled(&self) -> bool {
        false
    }
}

impl ClientAuthentication {
    /// An id and a secret that are parameters of a form; none if the id is malformed.
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

    /// The client that is authenticated at `now`, with `stored` as KV knows it (RFC 6749 section 2.3). An unknown client takes
    /// as long as a known one.
    ///
    /// # Errors
    /// [`ClientProblem::WrongCredentials`], or [`ClientProblem::Disabled`] if the credentials are right.
    pub fn authenticate<'a, C: Client>(&self, stored: Option<&'a C>, now: Timestamp) -> Result<&'a C, ClientProblem> {
        let secret = stored.map_or(&StoredSecret::NONE, C::secret);
        let is_right = secret.verify(&self.secret, now);
        let is_right_undecoded = self.undecoded_secret.as_ref().is_some_and(|text| secret.verify(text, now));
        let is_proven = (is_right | is_right_undecoded) & stored.is_some_and(|c| *c.client_id() == self.client_id);
        let client = stored.filter(|_| is_proven).ok_or(ClientProblem::WrongCredentials)?;
        if client.is_disabled() { Err(ClientProblem::Disabled) } else { Ok(client) }
    }
}

fn decode_form(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(String::from)
}
