//! The content of a failed request's answer.

use super::{ErrorCode, Response};
use std::borrow::Cow;

/// The challenge of a 401 at a route that a browser opens with a cookie or by a link. Every 401 requires a challenge (RFC 9110
/// section 15.5.2). No registered scheme applies without an `Authorization` header, so the scheme is Signet's own.
pub const BROWSER_CHALLENGE: (&str, &str) = ("WWW-Authenticate", r#"Signet realm="signet""#);

/// A failure as the caller sees it. Texts are fixed: except for a User ID, they contain nothing of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub status: u16,
    pub error: ErrorCode,
    pub description: Cow<'static, str>,
    /// An additional header field.
    pub header: Option<(&'static str, &'static str)>,
    /// The login page. Only answers in JSON contain it.
    pub login_url: Option<String>,
    /// The first link on the page.
    pub return_link: Option<Box<ReturnLink>>,
    /// Whether the answer also clears the session cookie.
    pub clears_session: bool,
    /// Whether a secret was missing or wrong, so that the answer counts against the caller's rate limit.
    pub is_failed_attempt: bool,
}

/// A link on the page of a failure to the application, or to the page on which the person can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnLink {
    pub label: String,
    pub address: String,
}

impl Failure {
    pub const REPEATED_PARAMETER: Self = Self::bad_request("A parameter is given more than once.");
    /// More than 100 parameters, or 200 at WHMCS's API.
    pub const TOO_MANY_PARAMETERS: Self = Self::bad_request("There are too many parameters.");
    pub const NOT_FOUND: Self = Self::of(404, ErrorCode::NotFound, "There is nothing at this address.");
    /// A setting or binding is missing or invalid.
    pub const NOT_CONFIGURED: Self =
        Self::unavailable("Signet is not configured. The operator finds the reason at /healthz.");
    pub const STORAGE_DOWN: Self = Self::unavailable("Signet cannot reach its storage. Try again in a moment.");
    pub const BAD_GATEWAY: Self =
        Self::of(502, ErrorCode::BadGateway, "The client area does not answer. Try again in a moment.");
    /// A fault in Signet.
    pub const INTERNAL: Self = Self::of(500, ErrorCode::ServerError, "Something went wrong in Signet.");

    // One call is smaller than the fields, which would otherwise be inlined at every place that refuses a request.
    #[inline(never)]
    pub const fn of(status: u16, error: ErrorCode, description: &'static str) -> Self {
        Self {
            status,
            error,
            description: Cow::Borrowed(description),
            header: None,
            login_url: None,
            return_link: None,
            clears_session: false,
            is_failed_attempt: false,
        }
    }

    #[inline(never)]
    pub const fn bad_request(description: &'static str) -> Self {
        Self::of(400, ErrorCode::InvalidRequest, description)
    }

    /// 413. `longest` is in bytes.
    pub fn body_too_large(longest: usize) -> Self {
        let description = Cow::Owned(format!("The request body is larger than {} KiB.", longest / 1024));
        Self { description, ..Self::of(413, ErrorCode::InvalidRequest, "") }
    }

    /// 405. `allow` lists the methods that are allowed (RFC 9110 section 10.2.1).
    #[inline(never)]
    pub const fn method_not_allowed(allow: &'static str) -> Self {
        Self::of(405, ErrorCode::MethodNotAllowed, "The method is not allowed here.").with("Allow", allow)
    }

    const fn unavailable(description: &'static str) -> Self {
        Self::of(503, ErrorCode::TemporarilyUnavailable, description).with("Retry-After", "5")
    }

    pub const fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    /// Makes the answer clear the session cookie.
    pub const fn clearing_session(mut self) -> Self {
        self.clears_session = true;
        self
    }

    /// Counts the request against the caller's rate limit: a secret was missing or wrong.
    pub const fn failed_attempt(mut self) -> Self {
        self.is_failed_attempt = true;
        self
    }

    pub fn add_header(&self, response: Response) -> Response {
        match self.header {
            Some((name, value)) => response.with(name, value),
            None => response,
        }
    }
}
