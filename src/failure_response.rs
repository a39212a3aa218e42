//! The answer to a failed request: JSON, problem details, the format of WHMCS's API, or a page.

use crate::http::{ErrorCode, Failure, Request, Response};
use crate::page::{self, layout};
use crate::whmcs::php_string;
use maud::{Markup, html};
use serde::Serialize;
use serde_json::json;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `{"error", "error_description"}` (RFC 6749 section 5.2), with an optional `login_url`.
    Json,
    /// Problem details (RFC 9457).
    Problem,
    /// `{"result":"error","message"}`, as in WHMCS's API.
    Whmcs,
    Page,
}

impl Format {
    /// A page, unless the request accepts JSON and not HTML.
    pub fn of(request: &Request) -> Self {
        if request.wants_page() { Self::Page } else { Self::Json }
    }
}

impl Failure {
    /// `home` is the address of the client area, to which a page links.
    pub fn into_response(self, format: Format, home: Option<&str>) -> Response {
        let response = match format {
            Format::Json => {
                #[derive(Serialize)]
                struct Body<'a> {
                    error: &'static str,
                    error_description: &'a str,
                    #[serde(skip_serializing_if = "Option::is_none")]
                    login_url: Option<&'a str>,
                }
                let (error, error_description) = (self.error.as_str(), &*self.description);
                Response::json(self.status, &Body { error, error_description, login_url: self.login_url.as_deref() })
            }
            Format::Whmcs => {
                let body = format!(r#"{{"result":"error","message":{}}}"#, php_string(&self.description));
                Response { body, ..Response::empty(self.status) }.with("Content-Type", "application/json")
            }
            Format::Problem => Response::problem(
                self.status,
                &json!({
                    "type": "about:blank",
                    "title": status_phrase(self.status),
                    "status": self.status,
                    "detail": self.description,
                }),
            ),
            Format::Page => page::response(self.status, failure_page(&self, home)),
        };
        self.add_header(response)
    }
}

fn failure_page(failure: &Failure, home: Option<&str>) -> Markup {
    let title = title(failure.error);
    layout(
        title,
        &html! {
            main.card {
                p.status.bad { (failure.status) " " (status_phrase(failure.status)) }
                h1 { (title) }
                p.message role="alert" { (failure.description) }
                @if failure.error == ErrorCode::InvalidToken {
                    p.hint { "Go back to the application you came from and sign in from there again. A sign-in link works once, for a minute." }
                }
                @if failure.error == ErrorCode::InvalidForm {
                    p { a href="/account/security" { "Open your sessions" } }
                }
                @if failure.return_link.is_some() || home.is_some() {
                    p.actions {
                        @if let Some(link) = &failure.return_link { a.button href=(link.address) { (link.label) } }
                        @if let Some(home) = home {
                            a.button.quiet[failure.return_link.is_some()] href=(home) { "Go to the client area" }
                        }
                    }
                }
            }
        },
    )
}

const fn title(error: ErrorCode) -> &'static str {
    match error {
        ErrorCode::InvalidSession => "Please sign in",
        ErrorCode::InvalidForm => "Nothing was changed",
        ErrorCode::HttpsRequired => "Use https",
        ErrorCode::NotFound => "Page not found",
        ErrorCode::InvalidClient
        | ErrorCode::AccessDenied
        | ErrorCode::InvalidToken
        | ErrorCode::Unauthorized
        | ErrorCode::NoCookie
        | ErrorCode::CredentialsInAddress
        | ErrorCode::ForeignPage
        | ErrorCode::ForeignOrigin => "This link did not sign you in",
        ErrorCode::ServerError
        | ErrorCode::TemporarilyUnavailable
        | ErrorCode::TooManyRequests
        | ErrorCode::BadGateway => "Please try again",
        ErrorCode::InvalidRequest
        | ErrorCode::InvalidGrant
        | ErrorCode::UnauthorizedClient
        | ErrorCode::UnsupportedGrantType
        | ErrorCode::InvalidScope
        | ErrorCode::MethodNotAllowed
        | ErrorCode::AccountFull
        | ErrorCode::UnsupportedMediaType
        | ErrorCode::MisdirectedRequest => "This link does not work",
    }
}

/// The reason phrase of a status (RFC 9110 section 15).
pub const fn status_phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Hsts, ReturnLink};

    #[test]
    fn every_format_has_the_security_headers() {
        let home = Some("https://my.example/billing/");
        for response in [
            Response::empty(204),
            Response::redirect(302, "https://my.example/"),
            Failure::NOT_FOUND.into_response(Format::Json, home),
            Failure::NOT_FOUND.into_response(Format::Problem, home),
            Failure::NOT_FOUND.into_response(Format::Page, home),
        ] {
            let header = |name| response.sent_header(name, Hsts::Host);
            assert_eq!(header("X-Content-Type-Options"), Some("nosniff"));
            assert_eq!(header("Cache-Control"), Some("no-store"));
            assert_eq!(header("Referrer-Policy"), Some("no-referrer"));
            assert_eq!(header("Strict-Transport-Security"), Some("max-age=63072000"));
            assert_eq!(header("Cross-Origin-Opener-Policy"), Some("same-origin"));
            assert_eq!(header("Cross-Origin-Resource-Policy"), Some("same-origin"));
            let policy = header("Content-Security-Policy").unwrap();
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
        }
    }

    #[test]
    fn the_forms_of_a_page_post_only_to_signet() {
        let page = Failure::NOT_FOUND.into_response(Format::Page, Some("https://my.example/billing/"));
        assert!(page.header("Content-Security-Policy").unwrap().contains("form-action 'self';"));
    }

    #[test]
    fn texts_are_escaped() {
        let failure = Failure { description: "<script>alert(1)</script>".into(), ..Failure::NOT_FOUND };
        let page = failure_page(&failure, Some("https://my.example/?\"><script>")).into_string();
        assert!(!page.contains("<script>"), "{page}");
        let return_link = Box::new(ReturnLink { label: "<b>".into(), address: "https://a.example/?\"><b>".into() });
        let page = failure_page(&Failure { return_link: Some(return_link), ..failure }, None).into_string();
        assert!(!page.contains("<b>"), "{page}");
    }

    #[test]
    fn the_return_link_precedes_the_link_to_the_client_area() {
        let return_link = Box::new(ReturnLink { label: "Go back to P".into(), address: "https://a.example/".into() });
        let failure = Failure { return_link: Some(return_link), ..Failure::NOT_FOUND };
        let page = failure_page(&failure, Some("https://my.example/")).into_string();
        let links: Vec<_> = page.match_indices("<a ").map(|(at, _)| &page[at..at + 45]).collect();
        assert!(links.len() == 2 && links[0].contains("https://a.example/"), "{links:?}");
        assert!(!failure_page(&Failure::NOT_FOUND, None).into_string().contains("<a "));
    }
}
