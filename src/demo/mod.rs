//! The demo of `npm start`: a portal that signs its users in, and the client area they land in.
//! The deployed build does not contain it.

mod pages;

pub use pages::{Visit, client_area, home, signed_out};

use crate::destination::{ClientArea, DestinationInputs, RelativePath, Scope};
use crate::http::{Failure, Params, Request};
use crate::id::{OwnedId, UserId};
use crate::user::{AccountInput, Status};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The path of the button's form.
pub const SIGN_IN_PATH: &str = "/demo/sign-in";
/// The KV key under which the portal keeps its own credential set, as any application would.
pub const PORTAL_KEY: &str = "demo-portal";
/// How long the portal remembers what happened on the way, in seconds.
pub const TRACE_TTL: u64 = 3_600;

const SERVICE: &str = "1001";
const DOMAIN: &str = "2001";

/// A user of the demo.
pub struct DemoUser {
    /// The User ID.
    pub id: &'static str,
    /// The account's status.
    pub status: Status,
    /// Whether single sign-on is allowed.
    pub sso: bool,
    /// What to expect.
    pub expectation: &'static str,
}

/// The users of the demo: one for each way a sign-in can end.
pub const USERS: [DemoUser; 4] = [
    DemoUser { id: "alice", status: Status::Active, sso: true, expectation: "Active account: signs in" },
    DemoUser { id: "ivan", status: Status::Inactive, sso: true, expectation: "Inactive account: signs in too" },
    DemoUser { id: "clara", status: Status::Closed, sso: true, expectation: "Closed account: is denied" },
    DemoUser { id: "otto", status: Status::Active, sso: false, expectation: "Single sign-on switched off: is denied" },
];

impl DemoUser {
    /// The account to seed.
    pub fn account(&self) -> AccountInput {
        AccountInput {
            status: self.status,
            sso: Some(self.sso),
            services: OwnedId::parse(SERVICE).into_iter().collect(),
            domains: OwnedId::parse(DOMAIN).into_iter().collect(),
        }
    }
}

/// The portal's credential set, as the portal keeps it.
#[derive(Serialize, Deserialize)]
pub struct Portal {
    /// Its `client_id`.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
}

/// What happened on the way to the client area.
#[derive(Serialize, Deserialize, Default)]
pub struct Trace {
    /// The token's claims.
    pub claims: Value,
    /// How long the token endpoint took, in milliseconds.
    pub token_ms: u64,
    /// What the SSO endpoint did.
    pub redirect: Option<Redirect>,
}

/// What the SSO endpoint did.
#[derive(Serialize, Deserialize)]
pub struct Redirect {
    /// The status of its answer.
    pub status: u16,
    /// Where it sent the browser.
    pub location: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

/// Whether `path` is the demo's.
pub fn owns(path: &str) -> bool {
    path == "/" || path == SIGN_IN_PATH || path.ends_with(".php") && !path.starts_with("/oauth/")
}

/// Turns the button's form into the portal's request to the token endpoint: its form body.
///
/// # Errors
/// 400 for a form that the page does not make.
pub fn token_request(request: &Request) -> Result<String, Failure> {
    const BAD_FORM: Failure = Failure::bad_request("The form is not the one of the demo page.");
    const BAD_PATH: Failure = Failure::bad_request("The custom path is not a path within the client area.");
    let params = Params::parse(b"", &request.body)?;
    let user = params.parsed("user", UserId::parse, BAD_FORM)?.ok_or(BAD_FORM)?;
    let scope = params.parsed("destination", Scope::parse, BAD_FORM)?.ok_or(BAD_FORM)?;
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "single_sign_on")
        .append_pair("user_id", user.as_str())
        .append_pair("scope", scope.as_str());
    match scope.as_str() {
        "clientarea:product_details" => {
            form.append_pair("service_id", SERVICE);
        }
        "clientarea:domain_details" => {
            form.append_pair("domain_id", DOMAIN);
        }
        _ if scope == Scope::CUSTOM_REDIRECT => {
            let path = params.parsed("path", RelativePath::parse, BAD_PATH)?.ok_or(BAD_PATH)?;
            form.append_pair("sso_redirect_path", path.as_str());
        }
        _ => {}
    }
    Ok(form.finish())
}

/// The label of the destination that lies at `request`'s address.
pub fn label(request: &Request, client_area: &ClientArea) -> &'static str {
    let asked = format!("{}?{}", request.path.trim_start_matches('/'), request.query);
    let without_id = |address: &str| address.trim_end_matches('?').split("&id=").next().map(str::to_owned);
    let inputs = DestinationInputs {
        service_id: OwnedId::parse(SERVICE),
        domain_id: OwnedId::parse(DOMAIN),
        sso_redirect_path: None,
    };
    let lies_there = |scope: Option<Scope>| {
        let place = client_area.locate(scope, &inputs).unwrap_or_default();
        without_id(place.strip_prefix(client_area.base().as_str()).unwrap_or_default()) == without_id(&asked)
    };
    if lies_there(None) {
        return "Client Area Home";
    }
    Scope::destinations().find(|scope| lies_there(Some(*scope))).map_or("Custom Page", Scope::label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Method, request_for_test as request};
    use crate::settings::tests::settings;

    #[test]
    fn every_destination_has_its_label() {
        let area = settings(&[]).ok().unwrap().client_area;
        for (target, expected) in [
            ("/clientarea.php", "Client Area Home"),
            ("/clientarea.php?action=invoices", "My Invoices"),
            ("/clientarea.php?action=productdetails&id=1001", "Product Details/Information"),
            ("/cart.php", "Shopping Cart Default Product Group"),
            ("/cart.php?a=add&domain=transfer", "Shopping Cart Transfer Domain"),
            ("/anything.php?x=1", "Custom Page"),
        ] {
            assert_eq!(label(&request(Method::Get, target, &[], ""), &area), expected, "{target}");
        }
    }

    #[test]
    fn the_form_becomes_a_token_request() {
        let form = |body: &str| token_request(&request(Method::Post, SIGN_IN_PATH, &[], body));
        assert_eq!(
            form("user=alice&destination=clientarea:product_details&path=x").unwrap(),
            "grant_type=single_sign_on&user_id=alice&scope=clientarea%3Aproduct_details&service_id=1001"
        );
        assert!(form("user=alice&destination=sso:custom_redirect&path=cart.php%3Fa%3Dview").is_ok());
        for bad in [
            "",
            "user=alice",
            "destination=clientarea:emails",
            "user=a&destination=x",
            "user=a&destination=sso:custom_redirect&path=//evil.example",
        ] {
            assert!(form(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_demo_owns_no_path_of_signet() {
        assert!(owns("/") && owns("/clientarea.php") && owns(SIGN_IN_PATH));
        assert!(!owns("/oauth/token.php") && !owns("/oauth/singlesignon.php") && !owns("/healthz"));
    }
}
