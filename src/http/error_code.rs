//! The codes of failures.

/// The code of a failure: `error` in JSON, and the reason in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The request is malformed (RFC 6749 section 5.2).
    InvalidRequest,
    /// Client authentication failed (RFC 6749 section 5.2).
    InvalidClient,
    /// The grant or the token belongs to another user or client (RFC 6749 section 5.2).
    InvalidGrant,
    /// The client may not use this grant type (RFC 6749 section 5.2).
    UnauthorizedClient,
    /// Signet does not support this grant type (RFC 6749 section 5.2).
    UnsupportedGrantType,
    /// A scope is unknown, malformed or not granted (RFC 6749 section 5.2).
    InvalidScope,
    /// The user or the request is denied (RFC 6749 section 4.1.2.1).
    AccessDenied,
    /// Signet failed (RFC 6749 section 4.1.2.1).
    ServerError,
    /// The same request may succeed later (RFC 6749 section 4.1.2.1).
    TemporarilyUnavailable,
    /// The token is forged, expired, used or revoked (RFC 6750 section 3.1).
    InvalidToken,
    /// The administration token is missing or wrong (RFC 9110 section 15.5.2).
    Unauthorized,
    /// There is no valid session (RFC 9110 section 15.5.2).
    InvalidSession,
    /// The browser did not keep the session cookie (RFC 9110 section 15.5.2).
    NoCookie,
    /// The caller's secret is in the address (RFC 9110 section 15.5.4).
    CredentialsInAddress,
    /// A page of another origin sent the request (RFC 9110 section 15.5.4).
    ForeignPage,
    /// A page of another origin opened a WebSocket (RFC 6455 section 10.2).
    ForeignOrigin,
    /// The request used http, and only https is allowed (RFC 9110 section 15.5.4).
    HttpsRequired,
    /// The form is not from this page, or has expired (RFC 9110 sections 15.5.1 and 15.5.4).
    InvalidForm,
    /// The path does not exist (RFC 9110 section 15.5.5).
    NotFound,
    /// The method is not allowed at this address (RFC 9110 section 15.5.6).
    MethodNotAllowed,
    /// The account would exceed the limit of services and domains (RFC 9110 section 15.5.10).
    AccountFull,
    /// The media type of the body is not supported (RFC 9110 section 15.5.16).
    UnsupportedMediaType,
    /// The address is served at another origin (RFC 9110 section 15.5.20).
    MisdirectedRequest,
    /// There were too many failed attempts (RFC 6585 section 4).
    TooManyRequests,
    /// The client area's server does not answer (RFC 9110 section 15.6.3).
    BadGateway,
}

impl ErrorCode {
    const ALL: [Self; 25] = [
        Self::InvalidRequest,
        Self::InvalidClient,
        Self::InvalidGrant,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::InvalidScope,
        Self::AccessDenied,
        Self::ServerError,
        Self::TemporarilyUnavailable,
        Self::InvalidToken,
        Self::Unauthorized,
        Self::InvalidSession,
        Self::NoCookie,
        Self::CredentialsInAddress,
        Self::ForeignPage,
        Self::ForeignOrigin,
        Self::HttpsRequired,
        Self::InvalidForm,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::AccountFull,
        Self::UnsupportedMediaType,
        Self::MisdirectedRequest,
        Self::TooManyRequests,
        Self::BadGateway,
    ];

    /// The code with the wire form `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// The code on the wire and in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InvalidToken => "invalid_token",
            Self::Unauthorized => "unauthorized",
            Self::InvalidSession => "invalid_session",
            Self::NoCookie => "no_cookie",
            Self::CredentialsInAddress => "credentials_in_address",
            Self::ForeignPage => "foreign_page",
            Self::ForeignOrigin => "foreign_origin",
            Self::HttpsRequired => "https_required",
            Self::InvalidForm => "invalid_form",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::AccountFull => "account_full",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::MisdirectedRequest => "misdirected_request",
            Self::TooManyRequests => "too_many_requests",
            Self::BadGateway => "bad_gateway",
        }
    }
}
