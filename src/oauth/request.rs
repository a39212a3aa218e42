//! The requests of applications, parsed whole before any is served.

use super::TokenError;
use crate::credential::{ClientAuthentication, ClientProblem, GrantType};
use crate::destination::{DestinationInputs, ScopeSet};
use crate::http::{Failure, HeaderName, Params, Request};
use crate::id::{TokenId, UserId};
use crate::secret::Secret;

/// The parameters that are refused in the query.
const BODY_PARAMETERS: [&str; 10] = [
    "grant_type", "client_id", "client_secret", "scope", "user_id", "service_id", "domain_id", "sso_redirect_path",
    "token", "token_type_hint",
];

const MALFORMED_USER_ID: Failure = Failure::bad_request("The user_id is malformed.");

/// A well-formed token request. Unknown parameters are ignored (RFC 6749 section 3.2).
#[derive(Debug)]
pub struct TokenRequest {
    pub client: ClientAuthentication,
    pub grant_type: GrantType,
    /// The parameters that describe the requested token.
    pub parameters: TokenParameters,
}

/// The parameters that describe the requested token.
#[derive(Debug, Default)]
pub struct TokenParameters {
    /// The requested scopes. `None` requests every scope of the credential set.
    pub scope: Option<ScopeSet>,
    pub user_id: Option<UserId>,
    pub inputs: DestinationInputs,
}

impl TokenRequest {
    /// # Errors
    /// The first problem: of the form, then of the client's credentials, then of the other parameters.
    pub fn parse(request: &Request) -> Result<Self, TokenError> {
        let params = parse_form(request)?;
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
    pub(super) fn parse(params: &Params) -> Result<Self, TokenError> {
        Ok(Self {
            scope: params.get("scope").map(|text| ScopeSet::parse(text).ok_or(TokenError::InvalidScope)).transpose()?,
            user_id: params.parsed("user_id", UserId::parse, MALFORMED_USER_ID)?,
            inputs: DestinationInputs::parse(params)?,
        })
    }
}

/// A request to the revocation endpoint (RFC 7009 section 2.1) or the introspection endpoint (RFC 7662 section 2.1). There
/// is one type of token, so `token_type_hint` is ignored.
#[derive(Debug)]
pub struct IssuedTokenRequest {
    pub client: ClientAuthentication,
    /// The text of the token, not yet verified.
    pub token: Secret,
}

impl IssuedTokenRequest {
    /// # Errors
    /// The first problem: of the form, then of the client's credentials, then of the token.
    pub fn parse(request: &Request) -> Result<Self, TokenError> {
        let params = parse_form(request)?;
        let client = parse_client(request, &params)?;
        let token = params.get("token").ok_or(Failure::bad_request("The parameter token is missing."))?;
        Ok(Self { client, token: Secret::new(token) })
    }
}

/// A request for a receipt. It has no body, so the client authenticates by HTTP Basic.
#[derive(Debug)]
pub struct ReceiptRequest {
    pub client: ClientAuthentication,
    /// The token. `None` if the path has no valid token id.
    pub jti: Option<TokenId>,
    /// The user of the token, if the client names one.
    pub user: Option<UserId>,
}

impl ReceiptRequest {
    /// # Errors
    /// [`TokenError::InvalidClient`], or an invalid query.
    pub fn parse(request: &Request) -> Result<Self, TokenError> {
        let client = parse_client(request, &Params::default())?;
        let query = Params::parse(request.query.as_bytes(), b"")?;
        Ok(Self {
            client,
            jti: request.path.strip_prefix("/oauth/receipts/").and_then(TokenId::parse),
            user: query.parsed("user_id", UserId::parse, MALFORMED_USER_ID)?,
        })
    }
}

/// Parses the form in the body.
fn parse_form(request: &Request) -> Result<Params, Failure> {
    check_form(request, &BODY_PARAMETERS)?;
    Params::parse(b"", &request.body)
}

/// Checks that the body is a form, and that the query has none of the parameters `in_body`.
pub(super) fn check_form(request: &Request, in_body: &[&str]) -> Result<(), Failure> {
    request.check_form()?;
    if form_urlencoded::parse(request.query.as_bytes()).any(|(name, _)| in_body.contains(&name.as_ref())) {
        return Err(Failure::bad_request("Parameters belong in the body, not in the address."));
    }
    Ok(())
}

/// Parses the client's credentials. A client must not authenticate in two ways (RFC 6749 section 2.3).
fn parse_client(request: &Request, params: &Params) -> Result<ClientAuthentication, TokenError> {
    let in_body = (params.get("client_id"), params.get("client_secret"));
    match (request.headers.get(HeaderName::Authorization), in_body) {
        (Some(_), (_, Some(_))) => Err(Failure::bad_request("The client authenticates in two ways at once.").into()),
        (Some(_), (id, None)) => {
            let client = request.credentials("basic").and_then(ClientAuthentication::parse_basic);
            let client = client.ok_or(ClientProblem::NoCredentials)?;
            if id.is_some_and(|id| id != client.client_id.as_str()) {
                return Err(Failure::bad_request("The client_id contradicts the Authorization header.").into());
            }
            Ok(client)
        }
        (None, (Some(id), Some(secret))) => {
            Ok(ClientAuthentication::parse(id, secret).ok_or(ClientProblem::NoCredentials)?)
        }
        (None, _) => Err(ClientProblem::NoCredentials.into()),
    }
}

#[cfg(test)]
mod tests;
