//! The form of the page of sessions, and the CSRF token.

use crate::http::{ErrorCode, Failure, Params, Request};
use crate::id::SessionId;
use crate::secret::{KeyRing, Purpose, Secret};
use crate::user::UserAction;
use serde::{Deserialize, Serialize};

/// The signed field `csrf_token`. It proves that a form comes from a page that Signet made for this session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsrfToken {
    pub sid: SessionId,
}

impl CsrfToken {
    /// Signs the token.
    pub fn seal(&self, keys: &KeyRing) -> serde_json::Result<String> {
        keys.sign(Purpose::Form, self)
    }

    /// Checks that `text` is this token, signed by Signet.
    ///
    /// # Errors
    /// 403 `invalid_form`.
    pub fn check(&self, text: &Secret, keys: &KeyRing) -> Result<(), Failure> {
        const OLD_FORM: Failure =
            Failure::of(403, ErrorCode::InvalidForm, "The form is out of date. Open the page again.");
        keys.open(Purpose::Form, text.expose()).filter(|token: &Self| token == self).map(drop).ok_or(OLD_FORM)
    }
}

#[derive(Debug)]
pub struct SecurityForm {
    pub action: UserAction,
    /// The field `csrf_token`, not verified yet.
    pub csrf_token: Secret,
}

impl SecurityForm {
    /// Parses the form of a POST.
    ///
    /// # Errors
    /// 400 `invalid_form`, or `invalid_request` for a repeated parameter.
    pub fn parse(request: &Request) -> Result<Self, Failure> {
        const BAD_FORM: Failure = Failure::of(400, ErrorCode::InvalidForm, "The form is not the one of this page.");
        if !request.is_form() {
            return Err(BAD_FORM);
        }
        let params = Params::parse(b"", &request.body)?;
        let session = params.parsed("session_id", SessionId::parse, BAD_FORM)?;
        let action = match (params.get("action"), session) {
            (Some("end_session"), Some(id)) => UserAction::EndSession(id),
            (Some("end_other_sessions"), None) => UserAction::EndOtherSessions,
            (Some("allow_sso"), None) => UserAction::SetSso(true),
            (Some("disallow_sso"), None) => UserAction::SetSso(false),
            _ => return Err(BAD_FORM),
        };
        Ok(Self { action, csrf_token: Secret::new(params.get("csrf_token").unwrap_or_default()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Method, form_for_test, request_for_test};
    use crate::secret::keys_for_test;

    const SID: &str = "AgICAgICAgICAgICAgICAg";

    fn keys() -> KeyRing {
        keys_for_test(7)
    }

    fn token(n: u8) -> CsrfToken {
        CsrfToken { sid: SessionId::from_random([n; 16]) }
    }

    fn parse(body: &str) -> Option<UserAction> {
        SecurityForm::parse(&form_for_test("/account/security", body)).ok().map(|f| f.action)
    }

    #[test]
    fn each_form_has_its_action() {
        for (body, action) in [
            (format!("action=end_session&session_id={SID}"), UserAction::EndSession(SessionId::parse(SID).unwrap())),
            ("action=end_other_sessions".into(), UserAction::EndOtherSessions),
            ("action=allow_sso&csrf_token=x".into(), UserAction::SetSso(true)),
            ("action=disallow_sso".into(), UserAction::SetSso(false)),
        ] {
            assert_eq!(parse(&body), Some(action), "{body}");
        }
    }

    #[test]
    fn an_invalid_form_is_refused() {
        for body in [
            String::new(),
            "action=".into(),
            "action=close".into(),
            "action=end_session".into(),
            "action=end_session&session_id=1".into(),
            format!("action=allow_sso&session_id={SID}"),
            "action=allow_sso&action=allow_sso".into(),
        ] {
            assert_eq!(parse(&body), None, "{body}");
        }
        let json =
            request_for_test(Method::Post, "/account/security", &[("content-type", "text/plain")], "action=allow_sso");
        assert_eq!(SecurityForm::parse(&json).unwrap_err().status, 400);
    }

    #[test]
    fn a_csrf_token_is_for_one_session_and_one_purpose() {
        let check = |text: &str| token(1).check(&Secret::new(text), &keys()).map_err(|failure| failure.status);
        assert_eq!(check(&token(1).seal(&keys()).unwrap()), Ok(()));
        for bad in [
            String::new(),
            SID.into(),
            token(2).seal(&keys()).unwrap(),
            keys().sign(Purpose::Session, &token(1)).unwrap(),
            keys().sign(Purpose::Switch, &token(1)).unwrap(),
        ] {
            assert_eq!(check(&bad), Err(403), "{bad}");
        }
    }
}
