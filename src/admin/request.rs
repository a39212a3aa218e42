//! The requests to the administration API.

use crate::credential::{CredentialChange, CredentialInput};
use crate::http::{ErrorCode, Failure, Method, Params, Request, decoded_segments, parse_number};
use crate::id::{ClientId, SessionId, TokenId, UserId};
use crate::json::parse_object;
use crate::secret::{Secret, SecretDigest};
use crate::user::{AccountChange, AccountInput};
use crate::whmcs::{ApiCredentialChange, ApiCredentialInput};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// The longest overlap of a rotation, in seconds: 30 days.
pub const OVERLAP_SECONDS_MAX: u64 = 2_592_000;
/// The number of entries on a page of a list: the greatest, and the default.
const PAGE_MAX: u64 = 100;
const PAGE_DEFAULT: u64 = 50;

/// A well-formed request to the administration API. `RotateCredential` has the seconds for which the old secret stays valid.
/// The requests for a token have its user, if the caller names one.
#[derive(Debug)]
pub enum AdminRequest {
    User(UserId, UserRequest),
    Events { user: UserId, page: PageRequest },
    Credential(RecordRequest<CredentialInput, CredentialChange>),
    RotateCredential(ClientId, u64),
    EndCredentialSessions(ClientId),
    ApiCredential(RecordRequest<ApiCredentialInput, ApiCredentialChange>),
    EndApiCredentialSessions(ClientId),
    GetToken(TokenId, Option<UserId>),
    RevokeToken(TokenId, Option<UserId>),
}

/// A request about one user. `end_sessions` also ends the user's sessions. `erase` also removes addresses and browsers from all
/// events. `None` for a client means the sessions of all applications.
#[derive(Debug)]
pub enum UserRequest {
    GetAccount,
    PutAccount { account: AccountInput, end_sessions: bool },
    PatchAccount { change: AccountChange, end_sessions: bool },
    DeleteAccount { erase: bool },
    ListSessions(Option<ClientId>),
    EndSessions(Option<ClientId>),
    EndSession(SessionId),
    Export,
}

/// A request for credential sets or for API credentials. `end_sessions` also ends the sessions that the record opened.
#[derive(Debug)]
pub enum RecordRequest<Input, Change> {
    Create(Input),
    List(PageRequest),
    Get(ClientId),
    Patch(ClientId, Change),
    Delete { id: ClientId, end_sessions: bool },
}

#[derive(Debug)]
pub struct PageRequest {
    /// The signed cursor, not verified yet. See [`super::PagedList`].
    pub cursor: Option<String>,
    /// The greatest number of entries on the page.
    pub limit: u64,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Rotation {
    #[serde(default)]
    overlap_seconds: u64,
}

pub const MALFORMED_USER_ID: Failure = Failure::bad_request("The User ID is malformed.");
const MALFORMED_CLIENT_ID: Failure = Failure::bad_request("The client_id is malformed.");
const MALFORMED_IDENTIFIER: Failure = Failure::bad_request("The identifier is malformed.");

pub const ACCOUNT_FULL: Failure =
    Failure::of(409, ErrorCode::AccountFull, "The account would own more than 25,000 services and domains.");

pub const NO_CREDENTIAL: Failure = Failure::of(404, ErrorCode::NotFound, "There is no such credential set.");
pub const NO_API_CREDENTIAL: Failure = Failure::of(404, ErrorCode::NotFound, "There is no such API credential.");
pub const NO_TOKEN: Failure =
    Failure::of(404, ErrorCode::NotFound, "There is no record of such a token. Records are kept for a day.");

impl UserRequest {
    /// The answer if the user's object has nothing on which to execute the request.
    pub const fn missing(&self) -> Failure {
        Failure::of(
            404,
            ErrorCode::NotFound,
            match self {
                Self::EndSession(_) => "There is no such session.",
                Self::DeleteAccount { erase: true } => "There is nothing left to erase.",
                Self::Export => "Nothing is kept of such a user.",
                Self::GetAccount
                | Self::PutAccount { .. }
                | Self::PatchAccount { .. }
                | Self::DeleteAccount { erase: false }
                | Self::ListSessions(_)
                | Self::EndSessions(_) => "There is no such account.",
            },
        )
    }
}

impl AdminRequest {
    /// Checks the bearer token (RFC 6750 section 2.1). Nothing else of the request may be parsed before.
    ///
    /// # Errors
    /// 401, the same for a missing and a wrong token.
    pub fn authenticate(request: &Request, admin_token: &SecretDigest) -> Result<(), Failure> {
        const UNAUTHORIZED: Failure =
            Failure::of(401, ErrorCode::Unauthorized, "The administration token is missing or wrong.")
                .with("WWW-Authenticate", r#"Bearer realm="signet administration""#)
                .failed_attempt();
        let presented = request.credentials("bearer").map(Secret::new);
        if presented.is_some_and(|token| admin_token.verify(&token)) { Ok(()) } else { Err(UNAUTHORIZED) }
    }

    /// Parses path, method, query and body.
    ///
    /// # Errors
    /// 404, 405 with `Allow`, 415 for a body of another media type than JSON, 400 for an invalid identifier, query or body.
    pub fn parse(request: &Request) -> Result<Self, Failure> {
        let path = request.path.strip_prefix("/admin/v1/").ok_or(Failure::NOT_FOUND)?;
        let segments = decoded_segments(path);
        let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        match segments.as_slice() {
            ["users", user, rest @ ..] => {
                let user = UserId::parse(user).ok_or(MALFORMED_USER_ID)?;
                match (rest, request.method) {
                    (["events"], Method::Get) => Ok(Self::Events { user, page: PageRequest::parse(request)? }),
                    (["events"], _) => Err(Failure::method_not_allowed("GET")),
                    _ => Ok(Self::User(user, parse_user_request(request, rest)?)),
                }
            }
            ["credentials", id, "rotate"] => {
                parse_rotation(request, id).map(|(id, overlap)| Self::RotateCredential(id, overlap))
            }
            ["credentials", id, "sessions"] => {
                parse_end_of_sessions(request, id, MALFORMED_CLIENT_ID).map(Self::EndCredentialSessions)
            }
            ["api-credentials", id, "sessions"] => {
                parse_end_of_sessions(request, id, MALFORMED_IDENTIFIER).map(Self::EndApiCredentialSessions)
            }
            ["credentials", rest @ ..] => {
                RecordRequest::parse(request, rest, MALFORMED_CLIENT_ID).map(Self::Credential)
            }
            ["api-credentials", rest @ ..] => {
                RecordRequest::parse(request, rest, MALFORMED_IDENTIFIER).map(Self::ApiCredential)
            }
            ["tokens", jti] => {
                let jti = TokenId::parse(jti).ok_or(Failure::bad_request("The jti is malformed."))?;
                let user = || {
                    Params::parse(request.query.as_bytes(), b"")?.parsed("user_id", UserId::parse, MALFORMED_USER_ID)
                };
                match request.method {
                    Method::Get => Ok(Self::GetToken(jti, user()?)),
                    Method::Delete => Ok(Self::RevokeToken(jti, user()?)),
                    _ => Err(Failure::method_not_allowed("GET, DELETE")),
                }
            }
            _ => Err(Failure::NOT_FOUND),
        }
    }
}

fn parse_user_request(request: &Request, rest: &[&str]) -> Result<UserRequest, Failure> {
    Ok(match (rest, request.method) {
        ([], Method::Get) => UserRequest::GetAccount,
        ([], Method::Put) => {
            let end_sessions = parse_boolean(request, "end_sessions")?;
            UserRequest::PutAccount { account: parse_json(request)?, end_sessions }
        }
        ([], Method::Patch) => {
            let end_sessions = parse_boolean(request, "end_sessions")?;
            UserRequest::PatchAccount { change: parse_json(request)?, end_sessions }
        }
        ([], Method::Delete) => UserRequest::DeleteAccount { erase: parse_boolean(request, "erase")? },
        ([], _) => return Err(Failure::method_not_allowed("GET, PUT, PATCH, DELETE")),
        (["sessions"], Method::Get) => UserRequest::ListSessions(parse_application(request)?),
        (["sessions"], Method::Delete) => UserRequest::EndSessions(parse_application(request)?),
        (["sessions"], _) => return Err(Failure::method_not_allowed("GET, DELETE")),
        (["sessions", id], Method::Delete) => {
            let id = SessionId::parse(id).ok_or(Failure::bad_request("The session id is malformed."))?;
            UserRequest::EndSession(id)
        }
        (["sessions", _], _) => return Err(Failure::method_not_allowed("DELETE")),
        (["export"], Method::Get) => UserRequest::Export,
        (["export"], _) => return Err(Failure::method_not_allowed("GET")),
        _ => return Err(Failure::NOT_FOUND),
    })
}

/// The parameter `name` of the query. It is false if it is missing.
fn parse_boolean(request: &Request, name: &str) -> Result<bool, Failure> {
    const NOT_BOOLEAN: Failure = Failure::bad_request("A parameter of the query is neither true nor false.");
    let params = Params::parse(request.query.as_bytes(), b"")?;
    Ok(params.parsed(name, |text| text.parse().ok(), NOT_BOOLEAN)?.unwrap_or(false))
}

/// The parameter `client_id` of the query: the application that opened the sessions. `None` means all applications.
fn parse_application(request: &Request) -> Result<Option<ClientId>, Failure> {
    let application =
        Params::parse(request.query.as_bytes(), b"")?.parsed("client_id", ClientId::parse, MALFORMED_CLIENT_ID)?;
    // An empty value must not mean all applications.
    let is_named = form_urlencoded::parse(request.query.as_bytes()).any(|(name, _)| name == "client_id");
    if is_named && application.is_none() { Err(MALFORMED_CLIENT_ID) } else { Ok(application) }
}

fn parse_end_of_sessions(request: &Request, id: &str, malformed_id: Failure) -> Result<ClientId, Failure> {
    if request.method != Method::Delete {
        return Err(Failure::method_not_allowed("DELETE"));
    }
    ClientId::parse(id).ok_or(malformed_id)
}

fn parse_rotation(request: &Request, id: &str) -> Result<(ClientId, u64), Failure> {
    if request.method != Method::Post {
        return Err(Failure::method_not_allowed("POST"));
    }
    let rotation: Rotation = if request.body.is_empty() { Rotation::default() } else { parse_json(request)? };
    if rotation.overlap_seconds > OVERLAP_SECONDS_MAX {
        return Err(Failure::bad_request("The overlap_seconds are more than 30 days."));
    }
    Ok((ClientId::parse(id).ok_or(MALFORMED_CLIENT_ID)?, rotation.overlap_seconds))
}

impl<Input: DeserializeOwned, Change: DeserializeOwned> RecordRequest<Input, Change> {
    /// The existing record that the request names.
    pub const fn id(&self) -> Option<&ClientId> {
        match self {
            Self::Create(_) | Self::List(_) => None,
            Self::Get(id) | Self::Patch(id, _) | Self::Delete { id, .. } => Some(id),
        }
    }

    fn parse(request: &Request, rest: &[&str], malformed_id: Failure) -> Result<Self, Failure> {
        let parse_id = |text| ClientId::parse(text).ok_or(malformed_id);
        match (rest, request.method) {
            ([], Method::Post) => Ok(Self::Create(parse_json(request)?)),
            ([], Method::Get) => PageRequest::parse(request).map(Self::List),
            ([], _) => Err(Failure::method_not_allowed("GET, POST")),
            ([id], Method::Get) => Ok(Self::Get(parse_id(id)?)),
            ([id], Method::Patch) => Ok(Self::Patch(parse_id(id)?, parse_json(request)?)),
            ([id], Method::Delete) => {
                Ok(Self::Delete { id: parse_id(id)?, end_sessions: parse_boolean(request, "end_sessions")? })
            }
            ([_], _) => Err(Failure::method_not_allowed("GET, PATCH, DELETE")),
            _ => Err(Failure::NOT_FOUND),
        }
    }
}

impl PageRequest {
    fn parse(request: &Request) -> Result<Self, Failure> {
        let params = Params::parse(request.query.as_bytes(), b"")?;
        Ok(Self { cursor: params.get("cursor").map(str::to_owned), limit: parse_limit(&params)? })
    }
}

fn parse_limit(params: &Params) -> Result<u64, Failure> {
    let parse = |text: &str| parse_number(text).filter(|limit| (1..=PAGE_MAX).contains(limit));
    let limit = params.parsed("limit", parse, Failure::bad_request("The limit is not a number from 1 to 100."))?;
    Ok(limit.unwrap_or(PAGE_DEFAULT))
}

/// Parses a JSON body. The media type is required, because a form of another site cannot send it.
fn parse_json<T: DeserializeOwned>(request: &Request) -> Result<T, Failure> {
    match request.content_type().as_deref() {
        Some("application/json") => {}
        _ => return Err(Failure::of(415, ErrorCode::UnsupportedMediaType, "The body is not application/json.")),
    }
    const NOT_JSON: Failure = Failure::bad_request("The body is not JSON.");
    let text = std::str::from_utf8(&request.body).map_err(|_| NOT_JSON)?;
    parse_object(text).map_err(|_| {
        let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
        if is_json { Failure::bad_request("The body has an unknown, missing or invalid field.") } else { NOT_JSON }
    })
}

#[cfg(test)]
mod tests;
