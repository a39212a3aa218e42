//! The test that nothing parsed from a request prints its secrets, and no answer does.

use crate::admin::AdminRequest;
use crate::console::{ConsoleCookie, ConsoleRequest, ConsoleSession, SignInRequest};
use crate::http::{Method, Params, Request, Response, form_for_test, request_for_test};
use crate::import::{Item, Lines};
use crate::oauth::{ApplicationLink, ReceiptRequest, TokenInquiry, TokenRequest, token_response};
use crate::route::Route;
use crate::secret::{Secret, SecretDigest};
use crate::session::{LogoutRequest, SecurityForm};
use crate::settings::tests::settings;
use crate::sso::{BrowserNonce, NONCE_COOKIE, SsoRequest};
use crate::time::Timestamp;
use crate::token::{SsoToken, claims_for_test};
use crate::user::{SessionCookie, session_for_test};
use crate::whmcs::{Action, ActionName, ApiAnswer, ApiParams, ApiRequest, Encoding};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Debug;
use std::fs;
use std::path::Path;

const SECRET: &str = "0123456789abcdefghijklmnopqrstuvwxyz+/";
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// A row of the table: the name of a type, a value of it as `Debug` prints it, and the secret of the request it came from.
type Row = (&'static str, String, String);

fn row(name: &'static str, value: &impl Debug) -> Row {
    (name, format!("{value:?} {value:#?}"), SECRET.into())
}

fn query() -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("s", SECRET).finish().split_off(2)
}

fn get(target: &str, header: (&str, &str)) -> Request {
    request_for_test(Method::Get, target, &[header], "")
}

/// Posts a form; `{}` is the secret.
fn form(target: &str, body: &str) -> Request {
    form_for_test(target, &body.replace("{}", &query()))
}

/// A request with a cookie. The cookie's value is the secret.
fn cookie<T: Debug>(name: &'static str, cookie: &str, value: &str, open: impl Fn(&Request) -> Option<T>) -> Row {
    let request = get("/", ("cookie", &format!("{cookie}={value}")));
    (name, format!("{:?}", open(&request).unwrap()), value.to_owned())
}

/// Every type that is parsed from a request.
fn requests() -> Vec<Row> {
    let keys = settings(&[]).ok().unwrap().keys;
    let basic = format!("Basic {}", STANDARD.encode(format!("portal:{SECRET}")));
    let basic = ("authorization", basic.as_str());
    let whole = Request {
        query: format!("access_token={}", query()),
        body: SECRET.into(),
        ..request_for_test(Method::Post, "/", &[("authorization", SECRET), ("cookie", SECRET)], "")
    };
    let post = |body: &str| form("/oauth/token", body);
    let api = || ApiParams::merge([("secret".into(), SECRET.into())].into_iter(), std::iter::empty());
    let credentials = [("identifier".into(), "api".into()), ("secret".into(), SECRET.into())].into_iter();
    let line = format!(
        "{}\n",
        serde_json::json!({"client_id": "p", "client_secret": SECRET, "credential": {"name": "P", "scopes": [], "user_id": "1"}})
    );
    let line = Lines::default().push(line.as_bytes()).remove(0);
    let (session, console) =
        (session_for_test(), ConsoleSession::new(session_for_test().id, SecretDigest::of(&Secret::new(SECRET)), NOW));
    let user = claims_for_test().sub;
    let kept = SessionCookie::of(&user, &session, true).set(Response::empty(204), &keys, 60).unwrap();
    let console = ConsoleCookie::of(&console).set(Response::empty(204), &keys).unwrap();
    let value = |response: &Response| {
        let (_, rest) = response.header("Set-Cookie").unwrap().split_once('=').unwrap();
        rest.split(';').next().unwrap().to_owned()
    };
    vec![
        row("Request", &whole),
        row("Params", &Params::parse(whole.query.as_bytes(), b"").unwrap()),
        row("Route", &Route::of(&Request { path: "/oauth/singlesignon".into(), ..whole }).unwrap()),
        row(
            "TokenRequest",
            &TokenRequest::parse(&post("grant_type=single_sign_on&client_id=a&client_secret={}")).unwrap(),
        ),
        row("TokenInquiry", &TokenInquiry::parse(&post("token={}&client_id=a&client_secret={}")).unwrap()),
        row("ReceiptRequest", &ReceiptRequest::parse(&get("/oauth/receipts/x", basic)).unwrap()),
        row("ApplicationLink", &ApplicationLink::parse(&post("subscriber_unique_id=a&token={}")).unwrap()),
        row("SsoRequest", &SsoRequest::parse(&form("/oauth/singlesignon", "access_token={}&switch={}")).unwrap()),
        row("LogoutRequest", &LogoutRequest::parse(&form("/oauth/logout", "csrf_token={}")).unwrap()),
        row(
            "SecurityForm",
            &SecurityForm::parse(&form("/account/security", "action=allow_sso&csrf_token={}")).unwrap(),
        ),
        row("ApiParams", &api().unwrap()),
        row("ApiRequest", &ApiRequest::new(ApiParams::merge(std::iter::empty(), credentials).unwrap())),
        row("Action", &Action::parse(ActionName::ListOAuthCredentials, &api().unwrap()).unwrap()),
        row("AdminRequest", &AdminRequest::parse(&get("/admin/v1/credentials", ("authorization", SECRET))).unwrap()),
        row("SignInRequest", &SignInRequest::parse(&form("/admin/sign-in", "admin_token={}")).unwrap()),
        row("ConsoleRequest", &ConsoleRequest::parse(&form("/admin/sign-out", "csrf_token={}")).unwrap()),
        row(
            "ConsoleRequest",
            &ConsoleRequest::parse(&form("/admin/users/1", "action=end_sessions&csrf_token={}")).unwrap(),
        ),
        row("RawLine", &line),
        row("Item", &Item::parse(&line)),
        cookie("BrowserNonce", NONCE_COOKIE, "_____________________w", BrowserNonce::of),
        cookie("SessionCookie", SessionCookie::NAME, &value(&kept), |request| SessionCookie::open(request, &keys, NOW)),
        cookie("ConsoleCookie", ConsoleCookie::NAME, &value(&console), |r| ConsoleCookie::open(r, &keys, NOW)),
    ]
}

/// What answers with a token.
fn answers() -> Vec<Row> {
    let settings = settings(&[]).ok().unwrap();
    let token = SsoToken::mint(claims_for_test(), &settings.keys).unwrap();
    let answer = ApiAnswer::token(&token, &settings.issuer);
    let redirect = Response::redirect(302, token.link("https://sso.example").expose()).with_cookie(
        "a",
        token.text.expose(),
        "Lax",
        1,
    );
    let printed = [
        ("SsoToken", format!("{token:?}")),
        ("Secret", format!("{:?}", token.link("https://sso.example"))),
        ("Response", format!("{:?}", token_response(&token, &settings))),
        ("Response", format!("{:?}", ApplicationLink::response(&token, &settings.issuer))),
        ("Response", format!("{redirect:?}")),
        ("ApiAnswer", format!("{answer:?}")),
        ("Response", format!("{:?}", answer.into_response("createssotoken", Encoding::Json))),
    ];
    printed.into_iter().map(|(name, text)| (name, text, token.text.expose().to_owned())).collect()
}

#[test]
fn nothing_prints_a_secret() {
    for (name, printed, secret) in requests().into_iter().chain(answers()) {
        let base64 = STANDARD.encode(format!("portal:{secret}"));
        for form in [secret.as_str(), &query(), &base64, &format!("{:?}", secret.as_bytes())] {
            assert!(!printed.contains(form), "{name}: {printed}");
        }
    }
}

/// The types with a public function that makes them from a request.
fn parsed_types(path: &Path) -> Vec<String> {
    if path.is_dir() {
        let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        return entries.filter(|path| !path.ends_with("edge")).flat_map(|path| parsed_types(&path)).collect();
    }
    let (mut types, mut current) = (Vec::new(), String::new());
    for line in fs::read_to_string(path).unwrap_or_default().lines() {
        if let Some(implemented) = line.strip_prefix("impl ") {
            current = implemented.split([' ', '<']).next().unwrap().to_owned();
        }
        let takes = ["request: &Request", "params: ApiParams", "params: &ApiParams", "line: &RawLine"];
        let makes = line.split_once("->").is_some_and(|(_, result)| result.contains("Self"));
        if line.starts_with("    pub fn ") && makes && takes.iter().any(|parameter| line.contains(parameter)) {
            types.push(current.clone());
        }
    }
    types
}

#[test]
fn every_type_that_is_parsed_from_a_request_is_in_the_table() {
    let table: Vec<_> = requests().into_iter().map(|(name, ..)| name).collect();
    let types = parsed_types(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(types.len() > 10, "the test reads the files: {types:?}");
    for name in types.iter().filter(|name| *name != "Format") {
        assert!(table.contains(&name.as_str()), "{name}");
    }
}
