//! What a browser reports about a request, in Fetch Metadata, `Origin` and `Accept`.

use super::{HeaderName, Method, Request};

impl Request {
    /// Whether the answer should be a page. It should unless the request accepts JSON and not HTML.
    pub fn wants_page(&self) -> bool {
        let accept = self.headers.get(HeaderName::Accept).unwrap_or_default().to_ascii_lowercase();
        !accept.contains("application/json") || accept.contains("text/html")
    }

    /// Whether a browser requests a page, so that a redirect is a possible answer. `Sec-Fetch-Mode` says so, or else `Accept`.
    /// A proxy sends the method of the browser's request in `X-Forwarded-Method`.
    pub fn is_navigation(&self) -> bool {
        let forwarded = self.headers.get(HeaderName::XForwardedMethod).map(Method::parse);
        let is_for_page = match self.headers.get(HeaderName::SecFetchMode) {
            Some(mode) => mode == "navigate",
            None => self
                .headers
                .get(HeaderName::Accept)
                .is_some_and(|accept| accept.to_ascii_lowercase().contains("text/html")),
        };
        is_for_page && matches!(self.method, Method::Get | Method::Head) && forwarded.is_none_or(|m| m == Method::Get)
    }

    /// Whether the browser reports that a page of another site sent the request, in `Sec-Fetch-Site` or else in `Origin`.
    /// Hosts of one site share SameSite cookies, so a page of another host of the same site is not cross-site.
    pub fn is_cross_site(&self, own_origin: &str) -> bool {
        match (self.headers.get(HeaderName::SecFetchSite), self.headers.get(HeaderName::Origin)) {
            (Some(site), _) => site == "cross-site",
            (None, Some(origin)) => origin != own_origin,
            (None, None) => false,
        }
    }

    /// Whether the browser reports that a page of another origin sent the request, in `Sec-Fetch-Site` or else in `Origin`.
    /// Another host of the same site is another origin.
    pub fn is_cross_origin(&self, own_origin: &str) -> bool {
        match (self.headers.get(HeaderName::SecFetchSite), self.headers.get(HeaderName::Origin)) {
            (Some(site), _) => !matches!(site, "same-origin" | "none"),
            (None, origin) => origin.is_some_and(|origin| origin != own_origin),
        }
    }

    /// Whether `Sec-Fetch-Site` reports that a page of another origin sent the request.
    pub fn is_of_foreign_page(&self) -> bool {
        matches!(self.headers.get(HeaderName::SecFetchSite), Some("cross-site" | "same-site"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request_for_test as request;

    fn header(name: &str, value: &str) -> Request {
        request(Method::Get, "/", &[(name, value)], "")
    }

    #[test]
    fn a_request_that_accepts_json_and_not_html_wants_no_page() {
        for (accept, wants_page) in [
            ("application/json", false),
            ("text/html,application/xhtml+xml", true),
            ("text/html, application/json", true),
            ("*/*", true),
        ] {
            assert_eq!(header("accept", accept).wants_page(), wants_page, "{accept}");
        }
    }

    #[test]
    fn a_request_from_another_site_or_origin_is_recognized() {
        let own = "https://sso.example";
        for (name, value, is_cross_site, is_cross_origin, is_foreign) in [
            ("sec-fetch-site", "cross-site", true, true, true),
            ("sec-fetch-site", "same-site", false, true, true),
            ("sec-fetch-site", "another", false, true, false),
            ("sec-fetch-site", "same-origin", false, false, false),
            ("sec-fetch-site", "none", false, false, false),
            ("origin", "https://other.example", true, true, false),
            ("origin", "http://sso.example", true, true, false),
            ("origin", "null", true, true, false),
            ("origin", own, false, false, false),
            ("accept", "*/*", false, false, false),
        ] {
            let request = header(name, value);
            assert_eq!(request.is_cross_site(own), is_cross_site, "{name}: {value}");
            assert_eq!(request.is_cross_origin(own), is_cross_origin, "{name}: {value}");
            assert_eq!(request.is_of_foreign_page(), is_foreign, "{name}: {value}");
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
}
