//! Where a request leads, with all that token and request say.

use super::*;
use crate::destination::ScopeSet;
use crate::token::claims_for_test;

fn granted(scopes: &str, inputs: DestinationInputs) -> Claims {
    Claims { scope: ScopeSet::parse(scopes).unwrap(), inputs, ..claims_for_test() }
}

/// Plans the journey of a token with `scopes` and what is `signed` in it, asked for with `query`.
fn plan_signed(scopes: &str, signed: DestinationInputs, query: &str) -> Result<Journey, Failure> {
    let settings = settings(&[("CLIENT_AREA_URL", "https://my.example/billing")]).ok().unwrap();
    let request = get(&format!("access_token=t&{query}")).unwrap();
    Journey::plan(&request, &granted(scopes, signed), &settings.client_area)
}

fn plan(scopes: &str, query: &str) -> Result<Journey, Failure> {
    plan_signed(scopes, DestinationInputs::default(), query)
}

/// The place of a journey, relative to the client area.
fn place(journey: Result<Journey, Failure>) -> String {
    journey.unwrap().location.strip_prefix("https://my.example/billing/").unwrap().to_owned()
}

#[test]
fn each_destination_is_where_whmcs_has_it() {
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
        assert_eq!(place(plan(scope, inputs)), expected, "the only one granted");
        let all = Scope::all().map(Scope::as_str).collect::<Vec<_>>().join(" ");
        assert_eq!(place(plan(&all, &format!("{inputs}&scope={scope}"))), expected, "asked for");
    }
}

#[test]
fn the_only_destination_is_taken_and_of_several_none() {
    for (scopes, query, destination) in [
        ("clientarea:sso", "", None),
        ("clientarea:invoices", "", scope("clientarea:invoices")),
        ("clientarea:sso clientarea:invoices", "", scope("clientarea:invoices")),
        ("clientarea:invoices clientarea:emails", "", None),
        ("clientarea:invoices clientarea:emails", "scope=clientarea:emails", scope("clientarea:emails")),
        ("clientarea:sso clientarea:invoices", "scope=clientarea:invoices", scope("clientarea:invoices")),
    ] {
        let journey = plan(scopes, query);
        assert_eq!(journey.as_ref().unwrap().destination, destination, "{scopes} {query}");
        if destination.is_none() {
            assert_eq!(place(journey), "clientarea.php");
        }
    }
}

#[test]
fn a_destination_that_was_not_granted_is_refused() {
    for asked in Scope::destinations() {
        let query = format!("scope={}&service_id=12&domain_id=34&sso_redirect_path=x", asked.as_str());
        let others: Vec<_> = Scope::all().filter(|scope| *scope != asked).map(Scope::as_str).collect();
        for granted in ["clientarea:sso", others[1], &others.join(" ")] {
            assert_refused(plan(granted, &query), "invalid_scope", asked.as_str());
        }
    }
}

#[test]
fn a_missing_input_is_named() {
    for (scope, other_inputs, missing) in [
        ("clientarea:product_details", "domain_id=34&sso_redirect_path=x", "The destination needs a service_id."),
        ("clientarea:domain_details", "service_id=12&sso_redirect_path=x", "The destination needs a domain_id."),
        ("sso:custom_redirect", "service_id=12&domain_id=34", "The destination needs an sso_redirect_path."),
    ] {
        assert_eq!(plan(scope, other_inputs), Err(Failure::bad_request(missing)), "{scope}");
    }
}

#[test]
fn what_is_signed_wins_and_a_contradiction_is_refused() {
    let signed =
        DestinationInputs { service_id: owned("12"), domain_id: owned("34"), sso_redirect_path: path("cart.php") };
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
fn what_is_not_signed_may_be_asked_for() {
    let signed = DestinationInputs { service_id: owned("12"), ..DestinationInputs::default() };
    let journey = plan_signed("clientarea:domain_details", signed, "domain_id=34").unwrap();
    assert_eq!((&journey.inputs.service_id, &journey.inputs.domain_id), (&owned("12"), &owned("34")));
    assert_eq!(place(Ok(journey)), "clientarea.php?action=domaindetails&id=34");
}

#[test]
fn a_custom_path_leads_nowhere_without_its_scope() {
    assert_eq!(place(plan("clientarea:invoices", "sso_redirect_path=cart.php")), "clientarea.php?action=invoices");
    assert_eq!(place(plan("clientarea:sso", "sso_redirect_path=cart.php")), "clientarea.php");
}
