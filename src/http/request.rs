//! A request, read from the platform once.

use super::{Failure, cookie, parse_number};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// The greatest length of a request body, in bytes.
pub const BODY_BYTES_MAX: usize = 65_536;
/// How much of a `User-Agent` is kept, in characters.
const USER_AGENT_KEPT: usize = 200;

/// A request method (RFC 9110 section 9). Signet serves no others than these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH (RFC 5789)
    Patch,
    /// DELETE
    Delete,
    /// Any other.
    Other,
}

impl Method {
    /// The method of this name. Names are case-sensitive.
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

/// A request. `Debug` leaves out the query, the values of the headers and the body, which may hold secrets.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, percent-encoded as it came.
    pub path: String,
    /// The query, without its question mark.
    pub query: String,
    /// The headers.
    pub headers: Headers,
    /// The origin it was sent to: scheme, host and port (RFC 6454 section 6.2).
    pub origin: String,
    /// The body, at most [`BODY_BYTES_MAX`] bytes. Empty where the route takes none.
    pub body: Vec<u8>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, headers, .. } = self;
        write!(f, "Request({method:?} {path} {headers:?})")
    }
}

/// Where a request came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The client's address, as Cloudflare saw it.
    pub address: Option<String>,
    /// The client's `User-Agent`, shortened.
    pub user_agent: Option<String>,
}

/// The beginning of a header field that is kept.
fn shorten(text: &str) -> String {
    text.chars().take(USER_AGENT_KEPT).collect()
}

/// The segments of a path, percent-decoded. What is not UTF-8 becomes what no name or identifier contains.
pub fn decoded_segments(path: &str) -> Vec<Cow<'_, str>> {
    path.split('/').map(|segment| percent_decode_str(segment).decode_utf8_lossy()).collect()
}

/// Header fields. Names are in lower case, as the platform gives them. `Debug` shows the names alone.
#[derive(Clone, Default)]
pub struct Headers(Vec<(String, String)>);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Headers {
    /// The value of the field `name`, given in lower case. Repeated fields are one, joined by commas.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl FromIterator<(String, String)> for Headers {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl Request {
    /// The media type of the body, in lower case and without its parameters. A form has none by definition, and JSON is
    /// always UTF-8 (RFC 8259 section 8.1), so clients write there what they like: any `charset` is read as UTF-8. None for
    /// UTF-16 and UTF-32, which cannot be read so, and for several media types.
    pub fn content_type(&self) -> Option<String> {
        let value = self.headers.get("content-type")?.to_ascii_lowercase();
        let mut parts = value.split(';').map(str::trim);
        let essence = parts.next()?.to_owned();
        let is_wide = |parameter: &str| {
            let charset = parameter.strip_prefix("charset=").map(|charset| charset.trim_start_matches('"'));
            charset.is_some_and(|charset| charset.starts_with("utf-16") || charset.starts_with("utf-32"))
        };
        (!value.contains(',') && !parts.any(is_wide)).then_some(essence)
    }

    /// Whether the body is a form.
    pub fn is_form(&self) -> bool {
        self.content_type().as_deref() == Some("application/x-www-form-urlencoded")
    }

    /// Checks that the body is a form.
    ///
    /// # Errors
    /// 400.
    pub fn check_form(&self) -> Result<(), Failure> {
        const NO_FORM: Failure = Failure::bad_request("The body is not application/x-www-form-urlencoded.");
        if self.is_form() { Ok(()) } else { Err(NO_FORM) }
    }

    /// What follows the authentication scheme `scheme` in `Authorization` (RFC 9110 section 11.4): the scheme has no case,
    /// one or more spaces come after it, and white space around the field's value is not part of it (section 5.5).
    pub fn credentials(&self, scheme: &str) -> Option<&str> {
        let value = self.headers.get("authorization")?.trim_matches([' ', '\t']);
        let (name, credentials) = value.split_once(' ')?;
        name.eq_ignore_ascii_case(scheme).then(|| credentials.trim_start_matches(' '))
    }

    /// Whether the caller wants a page: everybody except callers that accept JSON and not HTML.
    pub fn wants_page(&self) -> bool {
        let accept = self.headers.get("accept").unwrap_or_default().to_ascii_lowercase();
        !accept.contains("application/json") || accept.contains("text/html")
    }

    /// Whether it came by https.
    pub fn is_secure(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// Path and query, as they came.
    pub fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    /// The value of the one cookie called `name`. None if there are two, or if the value is not one that Signet writes.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        cookie::find(self.headers.get("cookie")?, name)
    }

    /// Whether a browser asks for a page, to which a redirect is an answer: by Fetch Metadata, else by `Accept`. A proxy
    /// that asks on a browser's behalf names its method in `X-Forwarded-Method`.
    pub fn is_navigation(&self) -> bool {
        let forwarded = self.headers.get("x-forwarded-method").map(Method::parse);
        let asks_for_page = match self.headers.get("sec-fetch-mode") {
            Some(mode) => mode == "navigate",
            None => self.headers.get("accept").is_some_and(|accept| accept.to_ascii_lowercase().contains("text/html")),
        };
        asks_for_page && matches!(self.method, Method::Get | Method::Head) && forwarded.is_none_or(|m| m == Method::Get)
    }

    /// Where it came from.
    pub fn caller(&self) -> Caller {
        Caller { address: self.address(), user_agent: self.headers.get("user-agent").map(shorten) }
    }

    /// The client's address, as Cloudflare saw it.
    pub fn address(&self) -> Option<String> {
        self.headers.get("cf-connecting-ip").map(shorten)
    }

    /// Whether another site's page caused it, as far as the browser says (Fetch Metadata, else `Origin`). Hosts of one
    /// site share SameSite cookies, so they count as one here.
    pub fn is_cross_site(&self, own_origin: &str) -> bool {
        match (self.headers.get("sec-fetch-site"), self.headers.get("origin")) {
            (Some(site), _) => site == "cross-site",
            (None, Some(origin)) => origin != own_origin,
            (None, None) => false,
        }
    }

    /// Whether a page of another origin caused it, as far as the browser says. Stricter than [`Request::is_cross_site`]:
    /// another host of the same site is another origin.
    pub fn is_cross_origin(&self, own_origin: &str) -> bool {
        match (self.headers.get("sec-fetch-site"), self.headers.get("origin")) {
            (Some(site), _) => !matches!(site, "same-origin" | "none"),
            (None, origin) => origin.is_some_and(|origin| origin != own_origin),
        }
    }

    /// Whether a browser says that a page of another origin caused it (Fetch Metadata, `Sec-Fetch-Site`).
    pub fn is_of_foreign_page(&self) -> bool {
        matches!(self.headers.get("sec-fetch-site"), Some("cross-site" | "same-site"))
    }

    /// The announced length of the body, in bytes.
    pub fn content_length(&self) -> Option<u64> {
        self.headers.get("content-length").and_then(parse_number)
    }

    /// Checks the announced length of the body before it is read.
    ///
    /// # Errors
    /// 413 when it is over `longest` bytes.
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
            headers: headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            origin: "https://sso.example".into(),
            body: body.into(),
        }
    }

    pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

    /// The request that posts the form `body` to `target`.
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
            "",
            " ; ",
            ";charset=UTF-8",
            "; charset=\"utf-8\"",
            "; charset=utf8",
            "; charset=ISO-8859-1",
            ";charset=us-ascii",
            "; Charset=windows-1252",
            "; boundary=x",
            "; charset=utf-8; boundary=x",
            "; charset",
            "; charset=",
            "; x=utf-16",
        ] {
            for media_type in [form, "APPLICATION/X-WWW-Form-Urlencoded"] {
                let value = format!("{media_type}{parameters}");
                assert_eq!(with("content-type", &value).content_type().as_deref(), Some(form), "{value}");
            }
        }
        for parameters in [
            ";charset=utf-16",
            "; charset=UTF-16LE",
            "; charset=\"utf-16be\"",
            "; boundary=x; charset=utf-32",
            ";charset=utf-8;charset=utf-16",
            ", application/json",
            "; charset=utf-8, application/json",
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
    fn only_callers_that_accept_json_and_not_html_want_no_page() {
        for (accept, wants_page) in [
            ("application/json", false),
            ("text/html,application/xhtml+xml", true),
            ("text/html, application/json", true),
            ("*/*", true),
        ] {
            assert_eq!(with("accept", accept).wants_page(), wants_page, "{accept}");
        }
    }

    #[test]
    fn cross_site_requests_are_recognised() {
        let own = "https://sso.example";
        for (name, value, is_cross_site) in [
            ("sec-fetch-site", "cross-site", true),
            ("sec-fetch-site", "same-site", false),
            ("sec-fetch-site", "same-origin", false),
            ("sec-fetch-site", "none", false),
            ("origin", "https://evil.example", true),
            ("origin", "null", true),
            ("origin", own, false),
            ("accept", "*/*", false),
        ] {
            assert_eq!(with(name, value).is_cross_site(own), is_cross_site, "{name}: {value}");
        }
    }

    #[test]
    fn a_page_of_another_origin_is_foreign() {
        for (site, is_foreign) in [("cross-site", true), ("same-site", true), ("same-origin", false), ("none", false)] {
            assert_eq!(with("sec-fetch-site", site).is_of_foreign_page(), is_foreign, "{site}");
        }
        assert!(!with("origin", "https://other.example").is_of_foreign_page());
    }

    #[test]
    fn another_host_of_the_same_site_is_another_origin() {
        let own = "https://console.example";
        for (name, value, is_cross_origin) in [
            ("sec-fetch-site", "cross-site", true),
            ("sec-fetch-site", "same-site", true),
            ("sec-fetch-site", "another", true),
            ("sec-fetch-site", "same-origin", false),
            ("sec-fetch-site", "none", false),
            ("origin", "https://my.example", true),
            ("origin", "http://console.example", true),
            ("origin", "null", true),
            ("origin", own, false),
            ("accept", "*/*", false),
        ] {
            assert_eq!(with(name, value).is_cross_origin(own), is_cross_origin, "{name}: {value}");
        }
    }

    #[test]
    fn a_navigation_is_a_get_for_a_page() {
        let page = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        let navigate = ("sec-fetch-mode", "navigate");
        for (method, headers, is_navigation) in [
            (Method::Get, vec![page], true),
            (Method::Head, vec![page], true),
            (Method::Get, vec![navigate], true),
            (Method::Get, vec![page, ("sec-fetch-mode", "cors")], false),
            (Method::Get, vec![("accept", "*/*")], false),
            (Method::Get, vec![("accept", "application/json")], false),
            (Method::Get, vec![], false),
            (Method::Get, vec![page, ("x-forwarded-method", "GET")], true),
            (Method::Get, vec![navigate, ("x-forwarded-method", "POST")], false),
            (Method::Get, vec![navigate, ("x-forwarded-method", "get")], false),
            (Method::Post, vec![navigate], false),
            (Method::Other, vec![navigate], false),
        ] {
            assert_eq!(request(method, "/", &headers, "").is_navigation(), is_navigation, "{method:?} {headers:?}");
        }
    }

    #[test]
    fn a_long_user_agent_is_shortened() {
        let caller = with("user-agent", &"é".repeat(10_000)).caller();
        assert_eq!(caller.user_agent.unwrap().chars().count(), USER_AGENT_KEPT);
    }
}
