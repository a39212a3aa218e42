//! A failure: one status, one code, one text.

use super::{ErrorCode, Response};
use std::borrow::Cow;

/// The challenge of a 401 where no `Authorization` header helps: at routes that a browser opens by its cookie or by a link. A
/// 401 must have one (RFC 9110 section 15.5.2), and no registered scheme applies, so the scheme is Signet's own.
pub const BROWSER_CHALLENGE: (&str, &str) = ("WWW-Authenticate", r#"Signet realm="signet""#);

/// What went wrong, for the caller. Texts are fixed: nothing of the request is echoed but a User ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The status.
    pub status: u16,
    /// The code.
    pub error: ErrorCode,
    /// The text.
    pub description: Cow<'static, str>,
    /// One more header field.
    pub header: Option<(&'static str, &'static str)>,
    /// Where people sign in. Only answers in JSON name it.
    pub login_url: Option<String>,
    /// The link that its page offers first.
    pub way_back: Option<Box<WayBack>>,
    /// Whether the answer also clears the session cookie.
    pub clears_session: bool,
    /// Whether a secret was missing or wrong, so that the answer counts against the caller's rate limit.
    pub is_failed_attempt: bool,
}

/// A link on the page of a failure, to where the person came from or can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayBack {
    /// The text of the link.
    pub label: String,
    /// The address it leads to.
    pub address: String,
}

impl Failure {
    /// A name occurs twice.
    pub const REPEATED_PARAMETER: Self = Self::bad_request("A parameter is given more than once.");
    /// More than 100 parameters.
    pub const TOO_MANY_PARAMETERS: Self = Self::bad_request("There are too many parameters.");
    /// Nothing lives at this path.
    pub const NOT_FOUND: Self = Self::of(404, ErrorCode::NotFound, "There is nothing at this address.");
    /// A setting or binding is missing or invalid.
    pub const NOT_CONFIGURED: Self =
        Self::unavailable("Signet is not configured. The operator finds the reason at /healthz.");
    /// A store did not answer.
    pub const STORAGE_DOWN: Self = Self::unavailable("Signet cannot reach its storage. Try again in a moment.");
    /// The client area's server does not answer.
    pub const BAD_GATEWAY: Self =
        Self::of(502, ErrorCode::BadGateway, "The client area does not answer. Try again in a moment.");
    /// Our own mistake.
    pub const INTERNAL: Self = Self::of(500, ErrorCode::ServerError, "Something went wrong in Signet.");

    /// A failure with fixed texts.
    pub const fn of(status: u16, error: ErrorCode, description: &'static str) -> Self {
        Self {
            status,
            error,
            description: Cow::Borrowed(description),
            header: None,
            login_url: None,
            way_back: None,
            clears_session: false,
            is_failed_attempt: false,
        }
    }

    /// 400 `invalid_request`.
    pub const fn bad_request(description: &'static str) -> Self {
        Self::of(400, ErrorCode::InvalidRequest, description)
    }

    /// 413: the body has more than `longest` bytes.
    pub fn body_too_large(longest: usize) -> Self {
        let description = Cow::Owned(format!("The request body is larger than {} KiB.", longest / 1024));
        Self { description, ..Self::of(413, ErrorCode::InvalidRequest, "") }
    }

    /// 405 with the methods that would do.
    pub const fn method_not_allowed(allow: &'static str) -> Self {
        Self::of(405, ErrorCode::MethodNotAllowed, "The method is not allowed here.").with("Allow", allow)
    }

    const fn unavailable(description: &'static str) -> Self {
        Self::of(503, ErrorCode::TemporarilyUnavailable, description).with("Retry-After", "5")
    }

    /// The failure with one more header field.
    pub const fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    /// The failure, whose answer also clears the session cookie.
    pub const fn clearing_session(mut self) -> Self {
        self.clears_session = true;
        self
    }

    /// The failure, which counts against the caller's rate limit: a secret was missing or wrong.
    pub const fn failed_attempt(mut self) -> Self {
        self.is_failed_attempt = true;
        self
    }

    /// `response`, with the header field of this failure.
    pub fn add_header(&self, response: Response) -> Response {
        match self.header {
            Some((name, value)) => response.with(name, value),
            None => response,
        }
    }
}
