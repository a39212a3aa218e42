//! Tests that the `Debug` output of requests, and of answers with a token, contains no secret.

use crate::admin::AdminRequest;
use crate::console::{ConsoleCookie, ConsoleRequest, ConsoleSession, SignInRequest};
use crate::http::{Method, Params, Request, Response, form_for_test, request_for_test};
use crate::import::{Item, Lines};
use crate::oauth::{ApplicationLink, IssuedTokenRequest, ReceiptRequest, TokenRequest, token_response};
use crate::route::Route;
use crate::secret::{Secret, SecretDigest};
use crate::session::{LogoutRequest, SecurityForm};
use crate::settings::tests::settings;
use crate::sso::{BrowserNonce, SsoRequest};
use crate::time::NOW_FOR_TEST as NOW;
use crate::time::Timestamp;
use crate::token::{SsoToken, claims_for_test};
use crate::user::{SessionCookie, session_for_test};
use crate::whmcs::{Action, ActionName, ApiAnswer, ApiParams, ApiRequest, Encoding};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Debug;
use std::fs;
use std::path::Path;

const SECRET: &str = "0123456789abcdefghijklmnopqrstuvwxyz-_";
/// A row of the table: the name of a type, the `Debug` output of a value, and the secret in the source of the value.
type Row = (&'static str, String, String);

fn row(name: &'static str, value: Option<impl Debug>) -> Row {
    (name, format!("{:?}", value.unwrap()), SECRET.into())
}

/// A row for a type that is parsed from a cookie. The secret is the value of the cookie.
fn cookie_row<T: Debug>(name: &'static str, cookie: &str, open: impl Fn(&Request) -> Option<T>) -> Row {
    let cookie = cookie.split(';').next().unwrap();
    let opened = open(&get("/", ("cookie", cookie))).unwrap();
    (name, format!("{opened:?}"), cookie.split_once('=').unwrap().1.into())
}

fn get(target: &str, header: (&str, &str)) -> Request {
    request_for_test(Method::Get, target, &[header], "")
}

/// A request that posts the form `body`, in which `{}` is the place of the secret.
fn form(target: &str, body: &str) -> Request {
    form_for_test(target, &body.replace("{}", SECRET))
}

fn api_params() -> ApiParams {
    let pairs = [("identifier", "api"), ("secret", SECRET)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    ApiParams::merge(std::iter::empty(), pairs.into_iter()).unwrap()
}

/// Every type that is parsed from a request.
fn requests() -> Vec<Row> {
    let keys = settings(&[]).ok().unwrap().keys;
    let headers = [("authorization", SECRET), ("cookie", SECRET)];
    let request = request_for_test(Method::Post, &format!("/oauth/token?secret={SECRET}"), &headers, SECRET);
    let basic = format!("Basic {}", STANDARD.encode(format!("portal:{SECRET}")));
    let token = |body| form("/oauth/token", body);
    let line = r#"{"client_id":"a","client_secret":"{}","credential":{"name":"A","scopes":[],"user_id":"1"}}"#;
    let line = Lines::default().push(format!("{}\n", line.replace("{}", SECRET)).as_bytes()).remove(0);
    let empty = || Response::empty(204);
    let nonce = format!("{}=_____________________w", BrowserNonce::COOKIE);
    let session = SessionCookie::of(&claims_for_test().sub, &session_for_test(), true).set(empty(), &keys, 60).unwrap();
    let console = ConsoleSession::new(session_for_test().id, SecretDigest::of(&Secret::new(SECRET)), NOW);
    let console = ConsoleCookie::of(&console).set(empty(), &keys).unwrap();
    let cookie = |response: &Response| response.header("Set-Cookie").unwrap().to_owned();
    vec![
        row("Params", Params::parse(request.query.as_bytes(), b"").ok()),
        row("Route", Route::of(&request).ok()),
        row("Request", Some(request)),
        row("TokenRequest", TokenRequest::parse(&token("grant_type=single_sign_on&client_id=a&client_secret={}")).ok()),
        row("IssuedTokenRequest", IssuedTokenRequest::parse(&token("token={}&client_id=a&client_secret={}")).ok()),
        row("ReceiptRequest", ReceiptRequest::parse(&get("/oauth/receipts/a", ("authorization", &basic))).ok()),
        row("ApplicationLink", ApplicationLink::parse(&token("subscriber_unique_id=a&token={}")).ok()),
        row("SsoRequest", SsoRequest::parse(&form("/oauth/singlesignon", "access_token={}&switch={}")).ok()),
        row("LogoutRequest", LogoutRequest::parse(&form("/oauth/logout", "csrf_token={}")).ok()),
        row("SecurityForm", SecurityForm::parse(&form("/", "action=allow_sso&csrf_token={}")).ok()),
        row("ApiRequest", Some(ApiRequest::new(api_params()))),
        row("Action", Action::parse(ActionName::ListOAuthCredentials, &api_params()).ok()),
        row("AdminRequest", AdminRequest::parse(&get("/admin/v1/credentials", ("authorization", SECRET))).ok()),
        row("SignInRequest", SignInRequest::parse(&form("/admin/sign-in", "admin_token={}")).ok()),
        row("ConsoleRequest", ConsoleRequest::parse(&form("/admin/sign-out", "csrf_token={}")).ok()),
        row("ConsoleRequest", ConsoleRequest::parse(&form("/admin/users/1", "action=end_sessions&csrf_token={}")).ok()),
        row("Item", Some(Item::parse(&line))),
        row("RawLine", Some(line)),
        cookie_row("BrowserNonce", &nonce, BrowserNonce::of),
        cookie_row("SessionCookie", &cookie(&session), |request| SessionCookie::open(request, &keys, NOW)),
        cookie_row("ConsoleCookie", &cookie(&console), |request| ConsoleCookie::open(request, &keys, NOW)),
    ]
}

/// Every type of an answer that contains a token.
fn answers() -> Vec<Row> {
    let settings = settings(&[]).ok().unwrap();
    let token = SsoToken::mint(claims_for_test(), &settings.keys).unwrap();
    let (text, link) = (token.text.expose(), token.link("https://sso.example"));
    let answer = ApiAnswer::token(&token, &settings.issuer);
    let printed = [
        ("Response", format!("{:?}", token_response(&token, &settings))),
        ("Response", format!("{:?}", ApplicationLink::response(&token, &settings.issuer))),
        ("Response", format!("{:?}", Response::redirect(302, link.expose()).with_cookie("a", text, "Lax", 1))),
        ("Response", format!("{:?}", answer.clone().into_response("createssotoken", Encoding::Json))),
        ("ApiAnswer", format!("{answer:?}")),
        ("Secret", format!("{link:?}")),
        ("SsoToken", format!("{token:?}")),
    ];
    printed.into_iter().map(|(name, printed)| (name, printed, text.to_owned())).collect()
}

#[test]
fn debug_output_shows_no_secret() {
    for (name, printed, secret) in requests().into_iter().chain(answers()) {
        let base64 = STANDARD.encode(format!("portal:{secret}"));
        let bytes = format!("{:?}", secret.as_bytes());
        for form in [secret.as_str(), &base64, bytes.trim_matches(['[', ']'])] {
            assert!(!printed.contains(form), "{name}: {printed}");
        }
    }
}

/// The types with a public function that parses them from a request.
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
        let sources = ["request: &Request", "params: ApiParams", "params: &ApiParams", "line: &RawLine"];
        let makes_itself = line.split_once("->").is_some_and(|(_, result)| result.contains("Self"));
        if line.starts_with("    pub fn ") && makes_itself && sources.iter().any(|source| line.contains(source)) {
            types.push(current.clone());
        }
    }
    types
}

#[test]
fn every_type_that_is_parsed_from_a_request_is_in_the_table() {
    let table: Vec<_> = requests().into_iter().map(|(name, ..)| name).collect();
    let types = parsed_types(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(types.len() > 10, "too few types were found: {types:?}");
    for name in types.iter().filter(|name| *name != "Format") {
        assert!(table.contains(&name.as_str()), "{name} is not in the table");
    }
}
