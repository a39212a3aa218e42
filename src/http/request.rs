//! A request without the platform.

use super::{Failure, HeaderName, Headers, cookie, parse_number};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// The longest request body, in bytes.
pub const BODY_BYTES_MAX: usize = 65_536;
/// The longest `User-Agent` that is stored, in characters.
const USER_AGENT_KEPT: usize = 200;

/// A request method (RFC 9110 section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Other,
}

impl Method {
    /// Method names are case-sensitive.
    pub fn parse(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => Self::Other,
        }
    }
}

/// A request. `Debug` omits the query, header values and the body, which may contain secrets.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query, without its question mark.
    pub query: String,
    pub headers: Headers,
    /// The origin in the request's address (RFC 6454 section 6.2).
    pub origin: String,
    /// At most [`BODY_BYTES_MAX`] bytes. Empty if the route takes no body.
    pub body: Vec<u8>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, headers, .. } = self;
        write!(f, "Request({method:?} {path} {headers:?})")
    }
}

/// The source of a request, for the audit trail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The IP address that Cloudflare reports.
    pub address: Option<String>,
    /// At most 200 characters.
    pub user_agent: Option<String>,
}

impl Caller {
    pub const fn is_empty(&self) -> bool {
        self.address.is_none() && self.user_agent.is_none()
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(USER_AGENT_KEPT).collect()
}

/// The percent-decoded segments of a path. Bytes that are not UTF-8 become U+FFFD, which no name or identifier contains.
pub fn decoded_segments(path: &str) -> Vec<Cow<'_, str>> {
    path.split('/').map(|segment| percent_decode_str(segment).decode_utf8_lossy()).collect()
}

impl Request {
    /// The media type of the body, in lower case and without its parameters. Forms and JSON (RFC 8259 section 8.1) are always
    /// UTF-8, and clients send various values of `charset`, so a `charset` is ignored. `None` for UTF-16 and UTF-32, which are
    /// incompatible with UTF-8, and for several media types.
    pub fn content_type(&self) -> Option<String> {
        let value = self.headers.get(HeaderName::ContentType)?.to_ascii_lowercase();
        let mut parts = value.split(';').map(str::trim);
        let essence = parts.next()?.to_owned();
        let is_wide = |parameter: &str| {
            let charset = parameter.strip_prefix("charset=").map(|charset| charset.trim_start_matches('"'));
            charset.is_some_and(|charset| charset.starts_with("utf-16") || charset.starts_with("utf-32"))
        };
        (!value.contains(',') && !parts.any(is_wide)).then_some(essence)
    }

    pub fn is_form(&self) -> bool {
        self.content_type().as_deref() == Some("application/x-www-form-urlencoded")
    }

    /// # Errors
    /// 400 if the body is not a form.
    pub fn check_form(&self) -> Result<(), Failure> {
        const NO_FORM: Failure = Failure::bad_request("The body is not application/x-www-form-urlencoded.");
        if self.is_form() { Ok(()) } else { Err(NO_FORM) }
    }

    /// The credentials after the authentication scheme `scheme` in `Authorization` (RFC 9110 section 11.4). The scheme is
    /// case-insensitive. One or more spaces follow it, and white space around the field's value is ignored (section 5.5).
    pub fn credentials(&self, scheme: &str) -> Option<&str> {
        let value = self.headers.get(HeaderName::Authorization)?.trim_matches([' ', '\t']);
        let (name, credentials) = value.split_once(' ')?;
        name.eq_ignore_ascii_case(scheme).then(|| credentials.trim_start_matches(' '))
    }

    pub fn is_secure(&self) -> bool {
        self.origin.starts_with("https://")
    }

    pub fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    /// The value of the cookie `name`. `None` if there are two, or if the value has characters that Signet never uses.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        cookie::find(self.headers.get(HeaderName::Cookie)?, name)
    }

    pub fn caller(&self) -> Caller {
        Caller { address: self.address(), user_agent: self.headers.get(HeaderName::UserAgent).map(shorten) }
    }

    pub fn address(&self) -> Option<String> {
        self.headers.get(HeaderName::CfConnectingIp).map(shorten)
    }

    /// The `Content-Length`, in bytes.
    pub fn content_length(&self) -> Option<u64> {
        self.headers.get(HeaderName::ContentLength).and_then(parse_number)
    }

    /// Checks the `Content-Length`, so that a body that is too large is not read.
    ///
    /// # Errors
    /// 413 if the length is over `longest` bytes.
    pub fn check_content_length(&self, longest: usize) -> Result<(), Failure> {
        let is_longer = self.content_length().is_some_and(|length| length > longest as u64);
        if is_longer { Err(Failure::body_too_large(longest)) } else { Ok(()) }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn request(method: Method, target: &str, headers: &[(&str, &str)], body: &str) -> Request {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Request {
            method,
            path: path.into(),
            query: query.into(),
            headers: headers_of(headers),
            origin: "https://sso.example".into(),
            body: body.into(),
        }
    }

    /// Fields that Signet does not read are ignored.
    fn headers_of(fields: &[(&str, &str)]) -> Headers {
        let named = |name: &str| HeaderName::ALL.into_iter().find(|known| known.as_str() == name);
        Headers::new(fields.iter().filter_map(|(name, value)| Some((named(name)?, (*value).to_owned()))).collect())
    }

    pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

    pub(crate) fn form(target: &str, body: &str) -> Request {
        request(Method::Post, target, &[FORM], body)
    }

    fn with(name: &str, value: &str) -> Request {
        request(Method::Get, "/", &[(name, value)], "")
    }

    #[test]
    fn a_content_type_is_read_without_its_parameters() {
        let form = FORM.1;
        for parameters in [
            "", " ; ", ";charset=UTF-8", "; charset=\"utf-8\"", "; charset=utf8", "; charset=ISO-8859-1",
            ";charset=us-ascii", "; Charset=windows-1252", "; boundary=x", "; charset=utf-8; boundary=x", "; charset",
            "; charset=", "; x=utf-16",
        ] {
            for media_type in [form, "APPLICATION/X-WWW-Form-Urlencoded"] {
                let value = format!("{media_type}{parameters}");
                assert_eq!(with("content-type", &value).content_type().as_deref(), Some(form), "{value}");
            }
        }
        for parameters in [
            ";charset=utf-16", "; charset=UTF-16LE", "; charset=\"utf-16be\"", "; boundary=x; charset=utf-32",
            ";charset=utf-8;charset=utf-16", ", application/json", "; charset=utf-8, application/json",
        ] {
            let value = format!("{form}{parameters}");
            assert_eq!(with("content-type", &value).content_type(), None, "{value}");
        }
        for other in
            [format!("application/json, {form}"), format!("text/plain; {form}"), format!("{form}x"), String::new()]
        {
            assert_ne!(with("content-type", &other).content_type().as_deref(), Some(form), "{other}");
        }
        assert_eq!(request(Method::Post, "/", &[], "").content_type(), None);
    }

    /// RFC 9110 sections 5.5 and 11.4.
    #[test]
    fn white_space_around_credentials_is_not_part_of_them() {
        for value in ["Basic YTpi", "basic YTpi", "BASIC   YTpi", " Basic YTpi", "Basic YTpi ", "\tBasic  YTpi \t "] {
            assert_eq!(with("authorization", value).credentials("basic"), Some("YTpi"), "{value:?}");
        }
        for value in ["", "Basic", "Basic ", "Basic\tYTpi", "BasicYTpi", "Bearer YTpi", "\u{a0}Basic YTpi", "YTpi"] {
            assert_eq!(with("authorization", value).credentials("basic"), None, "{value:?}");
        }
        assert_eq!(with("authorization", "Bearer a b\u{a0}").credentials("bearer"), Some("a b\u{a0}"));
        assert_eq!(with("authorization", "Basic \tYTpi").credentials("basic"), Some("\tYTpi"));
        assert_eq!(request(Method::Get, "/", &[], "").credentials("basic"), None);
    }

    #[test]
    fn a_long_user_agent_is_shortened() {
        let caller = with("user-agent", &"é".repeat(10_000)).caller();
        assert_eq!(caller.user_agent.unwrap().chars().count(), USER_AGENT_KEPT);
    }
}
