use super::*;
use crate::destination::{RelativePath, ScopeSet};
use crate::id::OwnedId;
use crate::settings::tests::settings;
use crate::sso::request::tests::{assert_refused, get};
use crate::token::claims_for_test;

fn granted(scopes: &str, inputs: DestinationInputs) -> Claims {
    let DestinationInputs { service_id, domain_id, sso_redirect_path } = inputs;
    Claims { scope: ScopeSet::parse(scopes).unwrap(), service_id, domain_id, sso_redirect_path, ..claims_for_test() }
}

/// Plans the redirect of a token with `scopes` and the `signed` inputs, for a request with `query`.
fn plan_signed(scopes: &str, signed: DestinationInputs, query: &str) -> Result<Redirect, Failure> {
    let settings = settings(&[("CLIENT_AREA_URL", "https://my.example/billing")]).ok().unwrap();
    let request = get(&format!("access_token=t&{query}")).unwrap();
    Redirect::plan(&request, &granted(scopes, signed), &settings.client_area)
}

fn plan(scopes: &str, query: &str) -> Result<Redirect, Failure> {
    plan_signed(scopes, DestinationInputs::default(), query)
}

/// The location, relative to the client area.
fn relative_location(redirect: Result<Redirect, Failure>) -> String {
    redirect.unwrap().location.strip_prefix("https://my.example/billing/").unwrap().to_owned()
}

#[test]
fn each_destination_has_the_path_of_whmcs() {
    let inputs = "service_id=12&domain_id=34&sso_redirect_path=/cart.php?a%3Dview";
    let places = [
        ("clientarea:profile", "clientarea.php?action=details"),
        ("clientarea:billing_info", "clientarea.php?action=creditcard"),
        ("clientarea:emails", "clientarea.php?action=emails"),
        ("clientarea:announcements", "announcements.php"),
        ("clientarea:downloads", "downloads.php"),
        ("clientarea:knowledgebase", "knowledgebase.php"),
        ("clientarea:network_status", "serverstatus.php"),
        ("clientarea:services", "clientarea.php?action=services"),
        ("clientarea:product_details", "clientarea.php?action=productdetails&id=12"),
        ("clientarea:domains", "clientarea.php?action=domains"),
        ("clientarea:domain_details", "clientarea.php?action=domaindetails&id=34"),
        ("clientarea:invoices", "clientarea.php?action=invoices"),
        ("clientarea:tickets", "supporttickets.php"),
        ("clientarea:submit_ticket", "submitticket.php"),
        ("clientarea:shopping_cart", "cart.php"),
        ("clientarea:shopping_cart_addons", "cart.php?gid=addons"),
        ("clientarea:shopping_cart_domain_register", "cart.php?a=add&domain=register"),
        ("clientarea:shopping_cart_domain_transfer", "cart.php?a=add&domain=transfer"),
        ("sso:custom_redirect", "cart.php?a=view"),
    ];
    assert_eq!(places.map(|(scope, _)| Scope::parse(scope)), Vec::from_iter(Scope::destinations().map(Some))[..]);
    for (scope, expected) in places {
        assert_eq!(relative_location(plan(scope, inputs)), expected, "the only one granted");
        let all = Scope::all().map(Scope::as_str).collect::<Vec<_>>().join(" ");
        assert_eq!(relative_location(plan(&all, &format!("{inputs}&scope={scope}"))), expected, "requested");
    }
}

#[test]
fn the_only_granted_destination_is_the_default() {
    for (scopes, query, destination) in [
        ("clientarea:sso", "", None),
        ("clientarea:invoices", "", Scope::parse("clientarea:invoices")),
        ("clientarea:sso clientarea:invoices", "", Scope::parse("clientarea:invoices")),
        ("clientarea:invoices clientarea:emails", "", None),
        ("clientarea:invoices clientarea:emails", "scope=clientarea:emails", Scope::parse("clientarea:emails")),
        ("clientarea:sso clientarea:invoices", "scope=clientarea:invoices", Scope::parse("clientarea:invoices")),
    ] {
        let redirect = plan(scopes, query);
        assert_eq!(redirect.as_ref().unwrap().destination, destination, "{scopes} {query}");
        if destination.is_none() {
            assert_eq!(relative_location(redirect), "clientarea.php");
        }
    }
}

#[test]
fn a_destination_that_was_not_granted_is_refused() {
    for requested in Scope::destinations() {
        let query = format!("scope={}&service_id=12&domain_id=34&sso_redirect_path=x", requested.as_str());
        let others: Vec<_> = Scope::all().filter(|scope| *scope != requested).map(Scope::as_str).collect();
        for granted in ["clientarea:sso", others[1], &others.join(" ")] {
            assert_refused(plan(granted, &query), "invalid_scope", requested.as_str());
        }
    }
}

#[test]
fn the_answer_names_a_missing_input() {
    for (scope, other_inputs, missing) in [
        ("clientarea:product_details", "domain_id=34&sso_redirect_path=x", "The destination needs a service_id."),
        ("clientarea:domain_details", "service_id=12&sso_redirect_path=x", "The destination needs a domain_id."),
        ("sso:custom_redirect", "service_id=12&domain_id=34", "The destination needs an sso_redirect_path."),
    ] {
        assert_eq!(plan(scope, other_inputs), Err(Failure::bad_request(missing)), "{scope}");
    }
}

#[test]
fn an_input_that_contradicts_a_signed_one_is_refused() {
    let signed = DestinationInputs {
        service_id: OwnedId::parse("12"),
        domain_id: OwnedId::parse("34"),
        sso_redirect_path: RelativePath::parse("cart.php"),
    };
    let plan = |query: &str| plan_signed("clientarea:invoices", signed.clone(), query);
    for agreeing in ["", "service_id=12", "domain_id=34", "sso_redirect_path=/cart.php", "service_id=12&domain_id=34"] {
        assert_eq!(plan(agreeing).unwrap().inputs, signed, "{agreeing}");
    }
    for contradicting in ["service_id=13", "domain_id=35", "sso_redirect_path=index.php", "service_id=12&domain_id=12"]
    {
        assert_refused(plan(contradicting), "invalid_request", contradicting);
    }
}

#[test]
fn an_input_that_is_not_signed_can_be_requested() {
    let signed = DestinationInputs { service_id: OwnedId::parse("12"), ..DestinationInputs::default() };
    let redirect = plan_signed("clientarea:domain_details", signed, "domain_id=34").unwrap();
    assert_eq!(
        (&redirect.inputs.service_id, &redirect.inputs.domain_id),
        (&OwnedId::parse("12"), &OwnedId::parse("34"))
    );
    assert_eq!(relative_location(Ok(redirect)), "clientarea.php?action=domaindetails&id=34");
}

#[test]
fn a_custom_path_is_ignored_without_its_scope() {
    assert_eq!(
        relative_location(plan("clientarea:invoices", "sso_redirect_path=cart.php")),
        "clientarea.php?action=invoices"
    );
    assert_eq!(relative_location(plan("clientarea:sso", "sso_redirect_path=cart.php")), "clientarea.php");
}
