//! What applications ask: for a token, or about one. Each request is parsed whole.

use super::TokenError;
use crate::credential::{ClientAuthentication, ClientProblem, GrantType};
use crate::destination::{DestinationInputs, ScopeSet};
use crate::http::{Failure, Params, Request};
use crate::id::{TokenId, UserId};
use crate::secret::Secret;

/// The parameters that belong in the body, and never in the query.
const BODY_PARAMETERS: [&str; 10] = [
    "grant_type",
    "client_id",
    "client_secret",
    "scope",
    "user_id",
    "service_id",
    "domain_id",
    "sso_redirect_path",
    "token",
    "token_type_hint",
];

/// A well-formed token request. Unknown parameters are ignored (RFC 6749 section 3.2).
#[derive(Debug)]
pub struct TokenRequest {
    /// How the client proves who it is.
    pub client: ClientAuthentication,
    /// The grant type.
    pub grant_type: GrantType,
    /// What token is wanted.
    pub parameters: TokenParameters,
}

/// What token is wanted.
#[derive(Debug, Default)]
pub struct TokenParameters {
    /// The scopes asked for; none for all that the set allows.
    pub scope: Option<ScopeSet>,
    /// The user to sign in.
    pub user_id: Option<UserId>,
    /// The destination inputs to sign into the token.
    pub inputs: DestinationInputs,
}

impl TokenRequest {
    /// Parses a request to the token endpoint.
    ///
    /// # Errors
    /// A [`TokenError`]; the form first, then the client's credentials, then the rest.
    pub fn parse(request: &Request) -> Result<Self, TokenError> {
        let params = parse_form(request, &BODY_PARAMETERS, b"")?;
        let client = parse_client(request, &params)?;
        let grant_type =
            params.get("grant_type").ok_or(Failure::bad_request("The parameter grant_type is missing."))?;
        Ok(Self {
            client,
            grant_type: GrantType::parse(grant_type).ok_or(TokenError::UnsupportedGrantType)?,
            parameters: TokenParameters::parse(&params)?,
        })
    }
}

impl TokenParameters {
    /// Parses the parameters that say what token is wanted.
    pub(super) fn parse(params: &Params) -> Result<Self, TokenError> {
        Ok(Self {
            scope: params.get("scope").map(|text| ScopeSet::parse(text).ok_or(TokenError::InvalidScope)).transpose()?,
            user_id: params.parsed("user_id", UserId::parse, Failure::bad_request("The user_id is malformed."))?,
            inputs: DestinationInputs::parse(params)?,
        })
    }
}

/// A well-formed request about a token, at the revocation endpoint (RFC 7009 section 2.1) or the introspection endpoint
/// (RFC 7662 section 2.1). There is one type of token, so `token_type_hint` is ignored.
#[derive(Debug)]
pub struct TokenInquiry {
    /// How the client proves who it is.
    pub client: ClientAuthentication,
    /// The token, not yet opened.
    pub token: Secret,
}

impl TokenInquiry {
    /// Parses a request about a token.
    ///
    /// # Errors
    /// A [`TokenError`]; the form first, then the client's credentials, then the token.
    pub fn parse(request: &Request) -> Result<Self, TokenError> {
        let params = parse_form(request, &BODY_PARAMETERS, b"")?;
        let client = parse_client(request, &params)?;
        let token = params.get("token").ok_or(Failure::bad_request("The parameter token is missing."))?;
        Ok(Self { client, token: Secret::new(token) })
    }
}

/// A well-formed request for a receipt. It has no body, so the client authenticates with Basic alone.
#[derive(Debug)]
pub struct ReceiptRequest {
    /// How the client proves who it is.
    pub client: ClientAuthentication,
    /// The token; none if the path does not name one.
    pub jti: Option<TokenId>,
}

impl ReceiptRequest {
    /// Parses a request for a receipt.
    ///
    /// # Errors
    /// A [`TokenError`] about the client's credentials.
    pub fn parse(request: &Request) -> Result<Self, TokenError> {
        let client = parse_client(request, &Params::default())?;
        Ok(Self { client, jti: request.path.strip_prefix("/oauth/receipts/").and_then(TokenId::parse) })
    }
}

/// The parameters of a form and of `query`. None of the parameters `in_body` may be in the request's query.
pub(super) fn parse_form(request: &Request, in_body: &[&str], query: &[u8]) -> Result<Params, Failure> {
    request.check_form()?;
    if form_urlencoded::parse(request.query.as_bytes()).any(|(name, _)| in_body.contains(&name.as_ref())) {
        return Err(Failure::bad_request("Parameters belong in the body, not in the address."));
    }
    Params::parse(query, &request.body)
}

/// One way to authenticate, never two (RFC 6749 section 2.3).
fn parse_client(request: &Request, params: &Params) -> Result<ClientAuthentication, TokenError> {
    const NONE: TokenError = TokenError::InvalidClient(ClientProblem::NoCredentials);
    let in_body = (params.get("client_id"), params.get("client_secret"));
    match (request.headers.get("authorization"), in_body) {
        (Some(_), (_, Some(_))) => Err(Failure::bad_request("The client authenticates in two ways at once.").into()),
        (Some(_), (id, None)) => {
            let client = request.credentials("basic").and_then(ClientAuthentication::parse_basic).ok_or(NONE)?;
            if id.is_some_and(|id| id != client.client_id.as_str()) {
                return Err(Failure::bad_request("The client_id contradicts the Authorization header.").into());
            }
            Ok(client)
        }
        (None, (Some(id), Some(secret))) => ClientAuthentication::parse(id, secret).ok_or(NONE),
        (None, _) => Err(NONE),
    }
}

#[cfg(test)]
mod tests;
