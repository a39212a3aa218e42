//! Signing out.

use crate::destination::RelativePath;
use crate::http::{Failure, Params, Request};
use crate::page::layout;
use maud::{Markup, html};

/// A request to sign out, or for the page that asks for confirmation.
#[derive(Debug, PartialEq, Eq)]
pub struct LogoutRequest {
    /// The path of the client area to go to afterwards; without it, the client area itself.
    pub return_to: Option<RelativePath>,
}

impl LogoutRequest {
    /// Parses the query, and the form of a POST.
    ///
    /// # Errors
    /// 400 `invalid_request`.
    pub fn parse(request: &Request) -> Result<Self, Failure> {
        if !request.body.is_empty() {
            request.check_form()?;
        }
        let params = Params::parse(request.query.as_bytes(), &request.body)?;
        let outside = Failure::bad_request("The return_to is not a path within the client area.");
        Ok(Self { return_to: params.parsed("return_to", RelativePath::parse, outside)? })
    }
}

/// The page that asks `user` for confirmation. Opening it changes nothing, so a link of another site cannot sign a user out.
pub fn logout_page(user: Option<&str>, request: &LogoutRequest, home: &str) -> Markup {
    let Some(user) = user else {
        return layout(
            "Signed out",
            &html! {
                main.card {
                    p.status { "Signed out" }
                    h1 { "Nobody is signed in" }
                    p.message { "This browser holds no session of Signet." }
                    p { a.button href=(home) { "Go to the client area" } }
                }
            },
        );
    };
    layout(
        "Sign out?",
        &html! {
            main.card {
                p.status { "Signed in as " strong { (user) } }
                h1 { "Sign out?" }
                p.message { "This ends the session in this browser. Sessions elsewhere go on." }
                form method="post" action="/oauth/logout" {
                    @if let Some(path) = &request.return_to {
                        input type="hidden" name="return_to" value=(path.as_str());
                    }
                    p.actions {
                        button.button type="submit" { "Sign out" }
                        a.button.quiet href=(home) { "Stay signed in" }
                    }
                }
                p.hint { a href="/account/security" { "See all your sessions" } }
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Method, form_for_test, request_for_test};

    fn parse(target: &str, body: &str) -> Result<LogoutRequest, Failure> {
        LogoutRequest::parse(&form_for_test(target, body))
    }

    #[test]
    fn the_path_to_return_to_is_in_the_query_or_the_form() {
        let bye = Ok(LogoutRequest { return_to: RelativePath::parse("bye.php?a=b") });
        assert_eq!(parse("/oauth/logout?return_to=/bye.php%3Fa%3Db", ""), bye);
        assert_eq!(parse("/oauth/logout", "return_to=bye.php%3Fa%3Db"), bye);
        for nowhere in ["/oauth/logout", "/oauth/logout?return_to=", "/oauth/logout?goto=x"] {
            assert_eq!(parse(nowhere, ""), Ok(LogoutRequest { return_to: None }));
        }
    }

    #[test]
    fn a_path_outside_the_client_area_is_refused() {
        for bad in
            ["//evil.example", "https://evil.example", "/%5Cevil.example", "javascript:alert(1)", "../x", "/%2e%2e/x"]
        {
            assert_eq!(parse(&format!("/oauth/logout?return_to={bad}"), "").unwrap_err().status, 400, "{bad}");
        }
        assert_eq!(parse("/oauth/logout?return_to=a", "return_to=b").unwrap_err().status, 400);
        let json = request_for_test(Method::Post, "/oauth/logout", &[("content-type", "application/json")], "{}");
        assert_eq!(LogoutRequest::parse(&json).unwrap_err().status, 400);
    }

    #[test]
    fn the_page_has_a_form_only_for_a_signed_in_user() {
        let request = LogoutRequest { return_to: RelativePath::parse("bye.php?a=\"><b>") };
        let asks = logout_page(Some("42"), &request, "https://my.example/").into_string();
        assert!(asks.contains("<form") && asks.contains("bye.php?a=&quot;&gt;&lt;b&gt;"), "{asks}");
        let tells = logout_page(None, &request, "https://my.example/").into_string();
        assert!(!tells.contains("<form"), "{tells}");
    }
}
