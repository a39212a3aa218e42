//! The demo of `npm start`: a portal that signs its users in, and its client area. The deployed build does not contain it.

mod pages;

pub use pages::{Visit, client_area, home, signed_out};

use crate::destination::{ClientArea, DestinationInputs, RelativePath, Scope};
use crate::http::{Failure, Params, Request};
use crate::id::{OwnedId, UserId};
use crate::user::{AccountInput, Status};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub const SIGN_IN_PATH: &str = "/demo/sign-in";
/// The KV key of [`Portal`].
pub const PORTAL_KEY: &str = "demo-portal";
/// The lifetime of a [`Trace`] in KV, in seconds.
pub const TRACE_TTL: u64 = 3_600;

const SERVICE: &str = "1001";
const DOMAIN: &str = "2001";

pub struct DemoUser {
    pub id: &'static str,
    pub status: Status,
    pub sso: bool,
    /// The result of a sign-in, for the page.
    pub expectation: &'static str,
}

/// The users of the demo: one for each result of a sign-in.
pub const USERS: [DemoUser; 4] = [
    DemoUser { id: "alice", status: Status::Active, sso: true, expectation: "Active account: signs in" },
    DemoUser { id: "ivan", status: Status::Inactive, sso: true, expectation: "Inactive account: signs in too" },
    DemoUser { id: "clara", status: Status::Closed, sso: true, expectation: "Closed account: is denied" },
    DemoUser { id: "otto", status: Status::Active, sso: false, expectation: "Single sign-on switched off: is denied" },
];

impl DemoUser {
    pub fn account(&self) -> AccountInput {
        AccountInput {
            status: self.status,
            sso: Some(self.sso),
            services: OwnedId::parse(SERVICE).into_iter().collect(),
            domains: OwnedId::parse(DOMAIN).into_iter().collect(),
        }
    }
}

/// The credential set of the portal. The portal stores its secret, as any application does.
#[derive(Serialize, Deserialize)]
pub struct Portal {
    pub client_id: String,
    pub client_secret: String,
}

/// The steps of a sign-in, which the client area shows.
#[derive(Serialize, Deserialize, Default)]
pub struct Trace {
    pub claims: Value,
    /// The duration of the token request, in milliseconds.
    pub token_ms: u64,
    /// The answer of the SSO endpoint.
    pub redirect: Option<SsoRedirect>,
}

#[derive(Serialize, Deserialize)]
pub struct SsoRedirect {
    pub status: u16,
    pub location: String,
    /// The duration of the request, in milliseconds.
    pub ms: u64,
}

/// Whether the demo serves `path`.
#[expect(clippy::case_sensitive_file_extension_comparisons, reason = "WHMCS's paths are in lower case")]
pub fn owns(path: &str) -> bool {
    path == "/" || path == SIGN_IN_PATH || path.ends_with(".php") && !path.starts_with("/oauth/")
}

/// Turns the form of the page into the form of the portal's token request.
///
/// # Errors
/// 400 for an invalid form.
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

/// The label of the destination at the address of `request`.
pub fn label(request: &Request, client_area: &ClientArea) -> &'static str {
    let requested = format!("{}?{}", request.path.trim_start_matches('/'), request.query);
    let without_id = |address: &str| address.trim_end_matches('?').split("&id=").next().map(str::to_owned);
    let inputs = DestinationInputs {
        service_id: OwnedId::parse(SERVICE),
        domain_id: OwnedId::parse(DOMAIN),
        sso_redirect_path: None,
    };
    let is_at_request = |scope: Option<Scope>| {
        let address = client_area.locate(scope, &inputs).unwrap_or_default();
        without_id(address.strip_prefix(client_area.base().as_str()).unwrap_or_default()) == without_id(&requested)
    };
    if is_at_request(None) {
        return "Client Area Home";
    }
    Scope::destinations().find(|scope| is_at_request(Some(*scope))).map_or("Custom Page", Scope::label)
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
    fn the_demo_serves_no_path_of_signet() {
        assert!(owns("/") && owns("/clientarea.php") && owns(SIGN_IN_PATH));
        assert!(!owns("/oauth/token.php") && !owns("/oauth/singlesignon.php") && !owns("/healthz"));
    }
}
