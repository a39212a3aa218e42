//! cPanel's application links. The cPanel server posts the values that the provider configured for the link (WHM API 1,
//! `create_integration_link`), and redirects the user to the `redirect_url` of the answer.

use super::request::check_form;
use super::{TokenError, TokenParameters, TokenRequest};
use crate::credential::{ClientAuthentication, ClientProblem, GrantType};
use crate::http::{Failure, HeaderName, Params, Request, Response, parse_number};
use crate::issuer::Issuer;
use crate::token::SsoToken;
use serde_json::json;

/// The time after which cPanel tries again, in seconds. cPanel accepts 60 at most.
const RETRY_SECONDS: u64 = 5;
/// The number of times that cPanel tries.
const ATTEMPTS_MAX: u64 = 3;
/// The parameters that cPanel sends in the body.
const BODY_PARAMETERS: [&str; 4] = ["app", "token", "user", "subscriber_unique_id"];

/// A click on an application link.
#[derive(Debug)]
pub struct ApplicationLink {
    /// The `client_id` is the subscriber's id, and the secret is the link's token. The query of the link contains `scope`,
    /// `user_id` and the destination inputs.
    pub token_request: TokenRequest,
    /// The number of earlier attempts that cPanel reports.
    pub attempts_before: u64,
}

impl ApplicationLink {
    /// Whether `request` is a click on an application link. `/oauth/token.php` accepts clicks and token requests.
    pub fn is_at(request: &Request) -> bool {
        let mut names = form_urlencoded::parse(&request.body).map(|(name, _)| name);
        request.path == "/oauth/token.php" && names.any(|name| name == "subscriber_unique_id")
    }

    pub fn parse(request: &Request) -> Result<Self, TokenError> {
        check_form(request, &BODY_PARAMETERS)?;
        if request.headers.get(HeaderName::Authorization).is_some() {
            return Err(Failure::bad_request("The client authenticates in two ways at once.").into());
        }
        let params = Params::parse(request.query.as_bytes(), &request.body)?;
        let bad_attempt = Failure::bad_request("The attempt is malformed.");
        let pair = params.get("subscriber_unique_id").zip(params.get("token"));
        let client = pair.and_then(|(id, secret)| ClientAuthentication::parse(id, secret));
        let client = client.ok_or(ClientProblem::NoCredentials)?;
        let parameters = TokenParameters::parse(&params)?;
        let token_request = TokenRequest { client, grant_type: GrantType::SingleSignOn, parameters };
        let attempts_before = params.parsed("attempt", parse_number, bad_attempt)?.unwrap_or(0);
        Ok(Self { token_request, attempts_before })
    }

    /// The answer when storage fails. It makes cPanel wait and try again, and contains the number of this attempt.
    pub fn retry(attempts_before: u64) -> Response {
        let attempt = attempts_before.saturating_add(1).min(ATTEMPTS_MAX);
        Response::json(200, &json!({"retry": RETRY_SECONDS, "attempt": attempt}))
    }

    /// The answer to a click: the address to which cPanel redirects the user.
    pub fn response(token: &SsoToken, issuer: &Issuer) -> Response {
        Response::json(200, &json!({"redirect_url": token.link(&issuer.sso_endpoint()).expose()}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::ScopeSet;
    use crate::http::{FORM_FOR_TEST as FORM, Method, form_for_test, request_for_test};
    use crate::id::UserId;

    const BODY: &str = "app=Signet&token=s3cret&user=cpuser&subscriber_unique_id=portal";

    #[test]
    fn a_click_is_distinguished_from_a_token_request() {
        for (target, body, is_click) in [
            ("/oauth/token.php", BODY, true),
            ("/oauth/token.php?scope=clientarea:sso", BODY, true),
            ("/oauth/token", BODY, false),
            ("/oauth/token.php", "grant_type=single_sign_on&client_id=a", false),
            ("/oauth/token.php?subscriber_unique_id=a", "", false),
        ] {
            assert_eq!(ApplicationLink::is_at(&form_for_test(target, body)), is_click, "{target} {body}");
        }
    }

    #[test]
    fn a_click_becomes_a_token_request() {
        let target = "/oauth/token.php?scope=clientarea:sso%20clientarea:product_details&service_id=12&user_id=42";
        let link = ApplicationLink::parse(&form_for_test(target, BODY)).unwrap();
        let request = link.token_request;
        assert_eq!(request.client.client_id.as_str(), "portal");
        assert_eq!(request.client.secret.expose(), "s3cret");
        assert_eq!(request.parameters.scope, ScopeSet::parse("clientarea:sso clientarea:product_details"));
        assert_eq!(request.parameters.user_id, UserId::parse("42"));
        assert_eq!(request.parameters.inputs.service_id.unwrap().as_str(), "12");
        assert_eq!(link.attempts_before, 0);
        let again = ApplicationLink::parse(&form_for_test("/oauth/token.php", &format!("{BODY}&attempt=2"))).unwrap();
        assert_eq!((again.attempts_before, again.token_request.parameters.scope), (2, None));
    }

    #[test]
    fn each_malformed_click_has_its_error() {
        let parse =
            |target: &str, body: &str| ApplicationLink::parse(&form_for_test(target, body)).unwrap_err().reason();
        for (target, body, reason) in [
            ("/oauth/token.php", "subscriber_unique_id=portal", "no_credentials"),
            ("/oauth/token.php", "subscriber_unique_id=&token=x", "no_credentials"),
            ("/oauth/token.php", "subscriber_unique_id=a%20b&token=x", "no_credentials"),
            ("/oauth/token.php?token=x", BODY, "invalid_request"),
            ("/oauth/token.php?scope=openid", BODY, "invalid_scope"),
            ("/oauth/token.php?user_id=%20", BODY, "invalid_request"),
            ("/oauth/token.php", "subscriber_unique_id=a&token=x&attempt=-1", "invalid_request"),
            ("/oauth/token.php", "subscriber_unique_id=a&subscriber_unique_id=a&token=x", "invalid_request"),
        ] {
            assert_eq!(parse(target, body), reason, "{target} {body}");
        }
        let basic = request_for_test(Method::Post, "/oauth/token.php", &[FORM, ("authorization", "Basic YTpi")], BODY);
        assert_eq!(ApplicationLink::parse(&basic).unwrap_err().reason(), "invalid_request");
        let json = request_for_test(Method::Post, "/oauth/token.php", &[("content-type", "application/json")], BODY);
        assert_eq!(ApplicationLink::parse(&json).unwrap_err().reason(), "invalid_request");
    }

    #[test]
    fn a_retry_counts_up_to_three() {
        for (before, attempt) in [(0, 1), (1, 2), (2, 3), (3, 3), (u64::MAX, 3)] {
            let response = ApplicationLink::retry(before);
            assert_eq!((response.status, response.body), (200, format!(r#"{{"attempt":{attempt},"retry":5}}"#)));
        }
    }
}
