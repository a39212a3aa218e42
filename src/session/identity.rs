//! Forward authentication: the answers to a proxy or a client area that asks who is signed in.

use crate::http::{BROWSER_CHALLENGE, ErrorCode, Failure, Request, Response};
use crate::id::UserId;
use crate::settings::Settings;
use crate::user::Session;
use url::Url;

/// The answer for an active session: the identity as headers, for proxies, and the session as JSON.
pub fn identity(user: &UserId, session: &Session) -> Response {
    Response::json(200, &session.shown(Some(user)))
        .with("X-Signet-User", user.as_str())
        .with("X-Signet-Session", session.id.as_str())
        .with("X-Signet-Expires", &session.expires_at().seconds().to_string())
}

/// The answer without an active session. A browser that opens a page is redirected to the setting `LOGIN_URL`.
///
/// # Errors
/// 401 for other requests, and without `LOGIN_URL`. The answer has `LOGIN_URL`, because a script that asks for a browser cannot be
/// distinguished from other programs.
pub fn not_signed_in(request: &Request, settings: &Settings) -> Result<Response, Failure> {
    const NOT_SIGNED_IN: Failure = Failure::of(401, ErrorCode::InvalidSession, "Nobody is signed in.")
        .with(BROWSER_CHALLENGE.0, BROWSER_CHALLENGE.1);
    match &settings.login_url {
        Some(login_url) if request.is_navigation() => Ok(Response::redirect(302, login_url.as_str())),
        login_url => Err(Failure { login_url: login_url.as_ref().map(Url::to_string), ..NOT_SIGNED_IN }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Method, request_for_test};
    use crate::settings::tests::settings;
    use crate::user::session_for_test;

    #[test]
    fn wire_form_of_an_identity_is_unchanged() {
        let response = identity(&UserId::parse("42").unwrap(), &session_for_test());
        assert_eq!(response.status, 200);
        for (name, value) in [
            ("X-Signet-User", "42"),
            ("X-Signet-Session", "AgICAgICAgICAgICAgICAg"),
            ("X-Signet-Expires", "1800003600"),
        ] {
            assert_eq!(response.header(name), Some(value));
        }
        let body = concat!(
            r#"{"address":"192.0.2.1","client_id":"portal","created_at":1800000000,"destination":"clientarea:invoices","#,
            r#""expires_at":1800003600,"jti":"AQEBAQEBAQEBAQEBAQEBAQ","last_seen_at":1800000000,"#,
            r#""session_id":"AgICAgICAgICAgICAgICAg","user_agent":null,"user_id":"42"}"#
        );
        assert_eq!(response.body, body);
    }

    #[test]
    fn browsers_are_redirected_to_the_login_page_and_programs_get_its_address() {
        let page = request_for_test(Method::Get, "/", &[("accept", "text/html")], "");
        let call = request_for_test(Method::Get, "/", &[("accept", "application/json")], "");
        let with = settings(&[("LOGIN_URL", "https://panel.example/login?to=billing")]).ok().unwrap();
        let without = settings(&[]).ok().unwrap();
        let sent = not_signed_in(&page, &with).unwrap();
        assert_eq!((sent.status, sent.header("Location")), (302, Some("https://panel.example/login?to=billing")));
        for (request, settings) in [(&call, &with), (&call, &without), (&page, &without)] {
            let failure = not_signed_in(request, settings).unwrap_err();
            assert_eq!((failure.status, failure.error.as_str()), (401, "invalid_session"));
            let challenge = ("WWW-Authenticate", r#"Signet realm="signet""#);
            assert_eq!(failure.header, Some(challenge), "RFC 9110 section 15.5.2");
            assert_eq!(failure.login_url.as_deref(), settings.login_url.as_ref().map(Url::as_str));
        }
    }
}
