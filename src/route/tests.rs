use super::*;
use crate::http::request_for_test as request;

const METHODS: [Method; 7] =
    [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete, Method::Other];

#[test]
fn each_route_has_its_row() {
    let (_, routes) = include_str!("../route.rs").split_once("pub enum Route {").unwrap();
    let (routes, _) = routes.split_once('}').unwrap();
    let names = routes.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let names = names.filter_map(|line| line.strip_suffix(',')).filter(|n| cfg!(feature = "demo") || *n != "Demo");
    let rows: Vec<_> = TABLE.iter().map(|row| format!("{:?}", row.route)).collect();
    assert_eq!(rows, names.collect::<Vec<_>>());
}

#[test]
fn each_path_allows_exactly_its_methods() {
    for (path, allowed, allow) in [
        ("/oauth/token", vec![Method::Post], "POST"),
        ("/oauth/token.php", vec![Method::Post], "POST"),
        ("/oauth/singlesignon", vec![Method::Get, Method::Post], "GET, POST"),
        ("/oauth/singlesignon.php", vec![Method::Get, Method::Post], "GET, POST"),
        ("/oauth/revoke", vec![Method::Post], "POST"),
        ("/oauth/introspect", vec![Method::Post], "POST"),
        ("/oauth/receipts/AQEBAQEBAQEBAQEBAQEBAQ", vec![Method::Get, Method::Head], "GET, HEAD"),
        ("/oauth/session", METHODS.to_vec(), ""),
        ("/oauth/logout", vec![Method::Get, Method::Head, Method::Post], "GET, HEAD, POST"),
        ("/account/security", vec![Method::Get, Method::Head, Method::Post], "GET, HEAD, POST"),
        ("/.well-known/oauth-authorization-server", vec![Method::Get, Method::Head], "GET, HEAD"),
        ("/.well-known/jwks.json", vec![Method::Get, Method::Head], "GET, HEAD"),
        ("/openapi.json", vec![Method::Get, Method::Head], "GET, HEAD"),
        ("/includes/api.php", METHODS.to_vec(), ""),
        ("/healthz", vec![Method::Get, Method::Head], "GET, HEAD"),
        ("/admin", vec![Method::Get, Method::Head, Method::Post], "GET, HEAD, POST"),
        ("/admin/users/1", vec![Method::Get, Method::Head, Method::Post], "GET, HEAD, POST"),
    ] {
        for method in METHODS {
            let outcome = Route::of(&request(method, path, &[], ""));
            if allowed.contains(&method) {
                assert!(outcome.is_ok(), "{method:?} {path}");
            } else {
                assert_eq!(outcome, Err(Failure::method_not_allowed(allow)), "{method:?} {path}");
            }
        }
    }
}

#[test]
fn every_other_path_belongs_to_the_client_area() {
    for path in [
        "/nowhere", "/oauth", "/oauth/token/", "/OAUTH/TOKEN", "/oauth/receipts", "/account/", "/account/security/",
        "/administration", "//oauth/token",
    ] {
        assert_eq!(Route::of(&request(Method::Get, path, &[], "")), Ok(Route::ClientArea), "{path}");
    }
}

#[test]
fn only_a_path_with_a_final_slash_matches_what_is_below() {
    assert_eq!(Route::paths().filter(|(path, _)| path.ends_with('/')).count(), 3);
    for path in ["/admin/v1/", "/admin/v1/users/1", "/oauth/receipts/", "/oauth/receipts/x/y"] {
        assert_ne!(Route::of(&request(Method::Get, path, &[], "")), Ok(Route::ClientArea), "{path}");
    }
}

#[test]
fn the_import_is_distinguished_from_the_administration_api() {
    for (path, route) in
        [("/admin/v1/import", Route::Import), ("/admin/v1/import/", Route::Admin), ("/admin/v1/imports", Route::Admin)]
    {
        assert_eq!(Route::of(&request(Method::Post, path, &[], "")), Ok(route), "{path}");
    }
    assert!(!Route::Import.has_body() && Route::Admin.has_body());
}

#[test]
fn routes_with_a_guessable_secret_are_limited() {
    for (path, has_secret) in [
        ("/oauth/token", true),
        ("/oauth/token.php", true),
        ("/oauth/revoke", true),
        ("/oauth/introspect", true),
        ("/oauth/receipts/x", true),
        ("/includes/api.php", true),
        ("/admin/v1/import", true),
        ("/admin/v1/users/1", true),
        ("/admin/sign-in", true),
        ("/admin", false),
        ("/admin/users/1", false),
        ("/admin/sign-out", false),
        ("/oauth/singlesignon", false),
        ("/oauth/session", false),
        ("/oauth/logout", false),
        ("/account/security", false),
        ("/healthz", false),
        ("/openapi.json", false),
        ("/.well-known/jwks.json", false),
        ("/nowhere", false),
    ] {
        let request = request(Method::Post, path, &[], "");
        assert_eq!(Route::at(path).has_secret(&request), has_secret, "{path}");
    }
}

#[test]
fn the_metadata_has_four_endpoints() {
    let names: Vec<_> = Route::advertised().map(|(name, _)| name).collect();
    assert_eq!(names, ["token_endpoint", "revocation_endpoint", "introspection_endpoint", "jwks_uri"]);
}
