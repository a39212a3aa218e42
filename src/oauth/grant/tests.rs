use super::*;
use crate::credential::{ClientAuthentication, ClientProblem, CredentialInput, GrantType};
use crate::destination::RelativePath;
use crate::id::ClientId;
use crate::oauth::TokenParameters;
use crate::secret::{KeyRing, Secret};
use crate::settings::tests::settings;
use crate::time::NOW_FOR_TEST as NOW;
use crate::token::{self, claims_for_test};
use serde_json::{Value, json};

fn valid_settings() -> Settings {
    settings(&[]).ok().unwrap()
}

fn jti() -> TokenId {
    TokenId::from_random([1; 16])
}

/// The set `portal` with the secret `s3cret`.
fn set(json: Value) -> CredentialSet {
    let input: CredentialInput = serde_json::from_value(json).unwrap();
    input.into_set(ClientId::parse("portal").unwrap(), &Secret::new("s3cret"), NOW).unwrap()
}

fn bound() -> CredentialSet {
    set(json!({"name": "P", "scopes": ["clientarea:invoices", "clientarea:emails"], "user_id": "42"}))
}

fn delegated() -> CredentialSet {
    set(json!({"name": "P", "scopes": ["clientarea:invoices"], "delegated": true}))
}

fn request_of(id: &str, text: &str) -> TokenRequest {
    TokenRequest {
        client: ClientAuthentication::parse(id, text).unwrap(),
        grant_type: GrantType::SingleSignOn,
        parameters: TokenParameters::default(),
    }
}

/// The request of the set `portal` with these parameters.
fn with(parameters: TokenParameters) -> TokenRequest {
    TokenRequest { parameters, ..request() }
}

fn request_for_user(text: &str) -> TokenRequest {
    with(TokenParameters { user_id: UserId::parse(text), ..TokenParameters::default() })
}

fn request() -> TokenRequest {
    request_of("portal", "s3cret")
}

fn request_for_scope(text: &str) -> TokenRequest {
    with(TokenParameters { scope: ScopeSet::parse(text), ..TokenParameters::default() })
}

fn granted(request: TokenRequest, set: &CredentialSet) -> Result<Claims, TokenError> {
    grant(request, Some(set), &valid_settings(), NOW, jti())
}

fn refused(request: TokenRequest, set: &CredentialSet) -> TokenError {
    granted(request, set).err().unwrap()
}

#[test]
fn a_bound_set_gets_a_token_for_its_user() {
    let scope = ScopeSet::parse("clientarea:sso clientarea:invoices clientarea:emails").unwrap();
    let expected = Claims { scope, ..claims_for_test() };
    assert_eq!(granted(request(), &bound()), Ok(expected.clone()));
    assert_eq!(granted(request_for_user("42"), &bound()), Ok(expected));
}

#[test]
fn a_delegated_set_gets_a_token_for_the_user_it_names() {
    let claims = granted(request_for_user("7"), &delegated()).unwrap();
    assert_eq!((claims.sub.as_str(), claims.delegated), ("7", true));
}

#[test]
fn the_user_is_that_of_the_set_or_of_the_request() {
    assert_eq!(refused(request_for_user("43"), &bound()), TokenError::InvalidGrant);
    let Failure { status, error, .. } = refused(request(), &delegated()).failure();
    assert_eq!((status, error.as_str()), (400, "invalid_request"));
}

/// The answer to a client that is not authenticated.
fn answer(request: TokenRequest, set: Option<&CredentialSet>) -> Response {
    let error = grant(request, set, &valid_settings(), NOW, jti()).err().unwrap();
    error.failure().into_response(crate::failure_response::Format::Json, None)
}

#[test]
fn an_unknown_client_and_a_wrong_secret_get_the_same_answer() {
    let unknown = answer(request(), None);
    assert_eq!(unknown.status, 401);
    assert_eq!(unknown.body, r#"{"error":"invalid_client","error_description":"Client authentication failed."}"#);
    assert_eq!(unknown.header("WWW-Authenticate"), Some(r#"Basic realm="signet", charset="UTF-8""#));
    for wrong in ["wrong", "", "s3cre", "s3cret ", "S3cret"] {
        assert_eq!(answer(request_of("portal", wrong), Some(&bound())), unknown, "{wrong:?}");
    }
    assert_eq!(answer(request_of("other", "s3cret"), Some(&bound())), unknown, "the secret of another set");
    assert_eq!(answer(request(), Some(&CredentialSet { disabled: true, ..bound() })), unknown);
}

#[test]
fn the_reason_of_a_failed_authentication_is_in_the_log() {
    let disabled = CredentialSet { disabled: true, ..bound() };
    for (request, set, problem) in [
        (request_of("portal", "wrong"), &bound(), ClientProblem::WrongCredentials),
        (request_of("portal", "wrong"), &disabled, ClientProblem::WrongCredentials),
        (request(), &disabled, ClientProblem::Disabled),
    ] {
        assert_eq!(refused(request, set), TokenError::InvalidClient(problem));
    }
}

#[test]
fn a_rotated_secret_is_valid_during_the_overlap() {
    let set = bound();
    let stored = set.secret.clone().rotate(&Secret::new("new"), 10, NOW);
    let set = CredentialSet { secret: stored, ..set };
    for (at, text, is_granted) in
        [(0, "s3cret", true), (9, "s3cret", true), (10, "s3cret", false), (0, "new", true), (10, "new", true)]
    {
        let outcome = grant(request_of("portal", text), Some(&set), &valid_settings(), NOW.plus(at), jti());
        assert_eq!(outcome.is_ok(), is_granted, "{text} after {at} s");
    }
}

#[test]
fn a_secret_that_was_not_form_encoded_is_accepted() {
    let client =
        ClientAuthentication { undecoded_secret: Some(Secret::new("s3cret")), ..request_of("portal", "x").client };
    assert!(granted(TokenRequest { client, ..request() }, &bound()).is_ok());
}

#[test]
fn the_grant_type_must_be_allowed_by_the_set() {
    let set = CredentialSet { grant_types: vec![], ..bound() };
    assert_eq!(refused(request(), &set), TokenError::UnauthorizedClient);
}

#[test]
fn a_request_can_reduce_the_scopes_but_not_add_any() {
    for scope in [
        "clientarea:invoices",
        "clientarea:sso",
        "clientarea:emails clientarea:invoices",
        "clientarea:sso clientarea:invoices clientarea:emails",
    ] {
        assert_eq!(granted(request_for_scope(scope), &bound()).unwrap().scope.to_string(), scope);
    }
    for scope in ["clientarea:tickets", "clientarea:invoices clientarea:tickets", "sso:custom_redirect"] {
        assert_eq!(refused(request_for_scope(scope), &bound()), TokenError::InvalidScope, "{scope}");
    }
}

#[test]
fn a_sets_service_is_signed_into_every_token() {
    let request_for_service = |service_id| {
        let inputs = DestinationInputs { service_id, ..DestinationInputs::default() };
        with(TokenParameters { inputs, ..TokenParameters::default() })
    };
    let with_service = CredentialSet { service_id: OwnedId::parse("12"), ..bound() };
    for (set, requested, signed) in [
        (&with_service, None, Some("12")),
        (&with_service, OwnedId::parse("12"), Some("12")),
        (&bound(), OwnedId::parse("99"), Some("99")),
        (&bound(), None, None),
    ] {
        let claims = granted(request_for_service(requested), set).unwrap();
        assert_eq!(claims.service_id.as_ref().map(OwnedId::as_str), signed);
    }
    let Failure { status, error, .. } = refused(request_for_service(OwnedId::parse("13")), &with_service).failure();
    assert_eq!((status, error.as_str()), (400, "invalid_request"));
}

#[test]
fn the_other_inputs_are_signed_as_requested() {
    let inputs = DestinationInputs {
        service_id: None,
        domain_id: OwnedId::parse("34"),
        sso_redirect_path: RelativePath::parse("cart.php?a=view"),
    };
    let request = with(TokenParameters { inputs: inputs.clone(), ..TokenParameters::default() });
    let claims = granted(request, &bound()).unwrap();
    assert_eq!((claims.domain_id, claims.sso_redirect_path), (inputs.domain_id, inputs.sso_redirect_path));
}

#[test]
fn the_client_is_authenticated_before_the_request_is_checked() {
    let set = CredentialSet { grant_types: vec![], disabled: true, ..bound() };
    let request =
        with(TokenParameters { user_id: UserId::parse("43"), ..request_for_scope("clientarea:tickets").parameters });
    let wrong = TokenRequest { client: request_of("portal", "wrong").client, ..request };
    assert_eq!(refused(wrong, &set), TokenError::InvalidClient(ClientProblem::WrongCredentials));
}

/// A failure to sign has another type than [`TokenError`], so no caller gets it as a refusal.
#[test]
fn a_failure_to_sign_is_no_token_error() {
    let mint: fn(Claims, &KeyRing) -> serde_json::Result<SsoToken> = SsoToken::mint;
    assert!(mint(granted(request(), &bound()).unwrap(), &valid_settings().keys).is_ok());
}

#[test]
fn the_answer_has_a_valid_token_and_its_link() {
    let settings = settings(&[("TOKEN_TTL", "30")]).ok().unwrap();
    let claims = grant(request_for_scope("clientarea:invoices"), Some(&bound()), &settings, NOW, jti()).unwrap();
    assert_eq!(claims.exp, NOW.plus(30));
    let response = token_response(&SsoToken::mint(claims.clone(), &settings.keys).unwrap(), &settings);
    assert_eq!((response.status, response.header("Pragma")), (200, Some("no-cache")));
    let body: Value = serde_json::from_str(&response.body).unwrap();
    let text = body["access_token"].as_str().unwrap();
    assert_eq!(
        body,
        json!({
            "access_token": text,
            "token_type": "Bearer",
            "expires_in": 30,
            "scope": "clientarea:invoices",
            "jti": jti(),
            "redirect_url": format!("https://sso.example/oauth/singlesignon?access_token={text}"),
        })
    );
    assert_eq!(token::open(&Secret::new(text), &settings.keys, &settings.issuer, NOW), Ok(claims));
}

#[test]
fn the_longest_token_that_can_be_minted_is_valid() {
    let issuer = format!("https://{}.{}.{}.{}", "a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(55));
    assert_eq!(issuer.len(), 255);
    let settings = settings(&[("ISSUER", &issuer)]).ok().unwrap();
    let every_scope: Vec<_> = Scope::all().map(Scope::as_str).collect();
    let set = CredentialSet {
        client_id: ClientId::parse(&"c".repeat(128)).unwrap(),
        ..set(json!({"name": "P", "scopes": every_scope, "delegated": true}))
    };
    let inputs = DestinationInputs {
        service_id: Some(OwnedId::parse(&"s".repeat(64)).unwrap()),
        domain_id: Some(OwnedId::parse(&"d".repeat(64)).unwrap()),
        sso_redirect_path: RelativePath::parse(&format!("?{}", "\"".repeat(1023))),
    };
    let parameters = TokenParameters { user_id: Some(UserId::parse(&"u".repeat(64)).unwrap()), inputs, scope: None };
    let request = TokenRequest { parameters, ..request_of(set.client_id.as_str(), "s3cret") };
    let claims = grant(request, Some(&set), &settings, NOW, jti()).unwrap();
    let token = SsoToken::mint(claims, &settings.keys).unwrap();
    assert!(token.text.expose().len() > 4_800, "{}", token.text.expose().len());
    assert_eq!(token::open(&token.text, &settings.keys, &settings.issuer, NOW), Ok(token.claims));
}

#[test]
fn a_damaged_set_without_a_user_signs_nobody_in() {
    let damaged = CredentialSet { user_id: None, ..bound() };
    for request in [request(), request_for_user("42")] {
        assert!(granted(request, &damaged).is_err());
    }
}
