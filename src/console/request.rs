//! The requests to the console.

use super::form::parse_form;
use super::{FormAction, View};
use crate::admin::MALFORMED_USER_ID;
use crate::http::{Failure, Method, Params, Request, decoded_segments};
use crate::id::{TokenId, UserId};
use crate::secret::Secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

pub const SIGN_IN_PATH: &str = "/admin/sign-in";
pub const SIGN_OUT_PATH: &str = "/admin/sign-out";

/// The message above a page after a form was processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    Saved,
    /// Sessions were ended.
    Ended,
    Revoked,
    Deleted,
}

impl Notice {
    const ALL: [Self; 4] = [Self::Saved, Self::Ended, Self::Revoked, Self::Deleted];

    /// The value of the parameter `notice`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Ended => "ended",
            Self::Revoked => "revoked",
            Self::Deleted => "deleted",
        }
    }

    pub const fn message(self) -> &'static str {
        match self {
            Self::Saved => "Saved.",
            Self::Ended => "Ended.",
            Self::Revoked => "Revoked.",
            Self::Deleted => "Deleted.",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.as_str() == word)
    }
}

/// A well-formed request from an administrator who is signed in. `Find` redirects to the page of a user or token.
#[derive(Debug)]
pub enum ConsoleRequest {
    Show(View, Option<Notice>),
    Find(View),
    Act { action: Box<FormAction>, csrf_token: Secret },
    SignOut { csrf_token: Secret },
}

#[derive(Debug)]
pub enum SignInRequest {
    Enter(SignIn),
    /// The request that follows the form. It shows whether the browser kept the cookie, and redirects to the page.
    Arrive(View),
}

#[derive(Debug)]
pub struct SignIn {
    pub admin_token: Secret,
    /// The page to show after signing in.
    pub then: View,
}

impl SignInRequest {
    /// Whether `request` is the form, so that its body has an administration token.
    pub fn is_entry(request: &Request) -> bool {
        request.method == Method::Post && request.path == SIGN_IN_PATH
    }

    /// Parses a request for [`SIGN_IN_PATH`]; returns `None` for another path. If `then` is not the address of a page of the
    /// console, the overview follows.
    ///
    /// # Errors
    /// 400 for an invalid form or a repeated parameter.
    pub fn parse(request: &Request) -> Result<Option<Self>, Failure> {
        if request.path != SIGN_IN_PATH {
            return Ok(None);
        }
        let then =
            |params: &Params| params.get("then").and_then(|address| view_at(address).ok()).unwrap_or(View::Overview);
        if request.method != Method::Post {
            return Ok(Some(Self::Arrive(then(&Params::parse(request.query.as_bytes(), b"")?))));
        }
        let form = parse_form(request)?;
        let admin_token = Secret::new(form.get("admin_token").unwrap_or_default().trim());
        Ok(Some(Self::Enter(SignIn { admin_token, then: then(&form) })))
    }
}

/// The address of [`SignInRequest::Arrive`] without the origin.
pub fn arrival_address(view: &View) -> String {
    format!("{SIGN_IN_PATH}?then={}", utf8_percent_encode(&view.address(), NON_ALPHANUMERIC))
}

impl ConsoleRequest {
    /// Parses path, query and form.
    ///
    /// # Errors
    /// 404, 405 with `Allow`, or 400 for an invalid query or form.
    pub fn parse(request: &Request) -> Result<Self, Failure> {
        let is_post = request.method == Method::Post;
        if request.path == SIGN_OUT_PATH {
            return if is_post {
                Ok(Self::SignOut { csrf_token: csrf_token(&parse_form(request)?) })
            } else {
                Err(Failure::method_not_allowed("POST"))
            };
        }
        let query = Params::parse(request.query.as_bytes(), b"")?;
        let view = view_at_path(&request.path, &query)?;
        if is_post {
            let form = parse_form(request)?;
            return Ok(Self::Act { action: Box::new(FormAction::parse(view, &form)?), csrf_token: csrf_token(&form) });
        }
        const BAD_TOKEN: Failure =
            Failure::bad_request("That is not the id of a token. It is the jti in the token answer: 22 characters.");
        let found = match view {
            View::Users => {
                query.parsed("user_id", |text| UserId::parse(text.trim()), MALFORMED_USER_ID)?.map(View::user)
            }
            View::Tokens => {
                let user = query.parsed("user_id", |text| UserId::parse(text.trim()), MALFORMED_USER_ID)?;
                let jti = query.parsed("jti", |text| TokenId::parse(text.trim()), BAD_TOKEN)?;
                jti.map(|jti| View::Token { jti, user })
            }
            _ => None,
        };
        Ok(match found {
            Some(found) => Self::Find(found),
            None => Self::Show(view, query.get("notice").and_then(Notice::parse)),
        })
    }
}

fn csrf_token(form: &Params) -> Secret {
    Secret::new(form.get("csrf_token").unwrap_or_default())
}

/// The page at an address without the origin. See [`View::parse`].
pub fn view_at(address: &str) -> Result<View, Failure> {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    view_at_path(path, &Params::parse(query.as_bytes(), b"")?)
}

fn view_at_path(path: &str, query: &Params) -> Result<View, Failure> {
    let below = path.strip_prefix("/admin").ok_or(Failure::NOT_FOUND)?;
    let segments = decoded_segments(below);
    View::parse(&segments.iter().skip(1).map(AsRef::as_ref).collect::<Vec<_>>(), query)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{FORM_FOR_TEST as FORM, request_for_test};

    fn get(target: &str) -> Result<ConsoleRequest, Failure> {
        ConsoleRequest::parse(&request_for_test(Method::Get, target, &[], ""))
    }

    fn sign_in(method: Method, target: &str, body: &str) -> SignInRequest {
        SignInRequest::parse(&request_for_test(method, target, &[FORM], body)).unwrap().unwrap()
    }

    #[test]
    fn a_page_may_have_a_notice() {
        for (target, notice) in [
            ("/admin/health", None),
            ("/admin/health?notice=saved", Some(Notice::Saved)),
            ("/admin/health?notice=<b>", None),
        ] {
            assert!(matches!(get(target), Ok(ConsoleRequest::Show(View::Health, n)) if n == notice), "{target}");
        }
    }

    #[test]
    fn a_search_leads_to_the_page_of_its_result() {
        let user = View::user(UserId::parse("42").unwrap());
        assert!(matches!(get("/admin/users?user_id=%2042+"), Ok(ConsoleRequest::Find(view)) if view == user));
        let jti = "AQEBAQEBAQEBAQEBAQEBAQ";
        for (of_user, user) in [("", None), ("&user_id=+42", UserId::parse("42"))] {
            let token = View::Token { jti: TokenId::parse(jti).unwrap(), user };
            let found = get(&format!("/admin/tokens?jti={jti}{of_user}"));
            assert!(matches!(found, Ok(ConsoleRequest::Find(view)) if view == token), "{of_user}");
        }
        for bad in ["/admin/users?user_id=a+b", "/admin/tokens?jti=1"] {
            assert_eq!(get(bad).unwrap_err().status, 400, "{bad}");
        }
        assert!(matches!(get("/admin/users?user_id="), Ok(ConsoleRequest::Show(View::Users, None))));
    }

    #[test]
    fn signing_in_leads_to_pages_of_the_console_only() {
        for (then, view) in [
            ("/admin/health", View::Health),
            ("/admin/credentials?cursor=x", View::Credentials { cursor: Some("x".into()) }),
            ("", View::Overview),
            ("https://evil.example/admin/health", View::Overview),
            ("//evil.example", View::Overview),
            ("/admin/../evil", View::Overview),
        ] {
            let body = form_urlencoded::Serializer::new(String::new())
                .append_pair("admin_token", " t ")
                .append_pair("then", then)
                .finish();
            let SignInRequest::Enter(parsed) = sign_in(Method::Post, SIGN_IN_PATH, &body) else { panic!("{then}") };
            assert_eq!((&parsed.then, parsed.admin_token.expose()), (&view, "t"), "{then}");
            let SignInRequest::Arrive(page) = sign_in(Method::Get, &format!("{SIGN_IN_PATH}?{body}"), "") else {
                panic!("{then}")
            };
            assert_eq!(page, view, "{then}");
            let SignInRequest::Arrive(page) = sign_in(Method::Get, &arrival_address(&view), "") else {
                panic!("{then}")
            };
            assert_eq!(page, view, "{then}");
        }
        let elsewhere = SignInRequest::parse(&request_for_test(Method::Get, "/admin", &[], ""));
        assert!(elsewhere.unwrap().is_none());
        assert_eq!(get(SIGN_OUT_PATH).unwrap_err().status, 405);
    }

    #[test]
    fn an_invalid_post_is_refused() {
        for (target, headers, body, status) in [
            ("/admin/users/1", vec![FORM], "action=save", 400),
            ("/admin/users/1", vec![("content-type", "application/json")], "{}", 400),
            ("/admin", vec![FORM], "action=save", 400),
            ("/admin/nowhere", vec![FORM], "", 404),
        ] {
            let request = request_for_test(Method::Post, target, &headers, body);
            assert_eq!(ConsoleRequest::parse(&request).unwrap_err().status, status, "{target} {body}");
        }
    }
}
