//! The routes: which path and method lead where, and how each route is treated before it is served.

use crate::console::SignInRequest;
use crate::failure_response::Format;
use crate::http::{Failure, Method, Request};
use Property::{Administration, Body, Metadata, Secret, SignInSecret};

/// Where a request leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The token endpoint.
    Token,
    /// The SSO endpoint.
    Sso,
    /// The revocation endpoint.
    Revocation,
    /// The introspection endpoint.
    Introspection,
    /// What became of a token, for the application it was issued to.
    Receipt,
    /// Who is signed in: forward authentication.
    Session,
    /// Sign out.
    Logout,
    /// The user's own page of sessions.
    Security,
    /// The authorization server's metadata.
    Metadata,
    /// The public keys.
    Jwks,
    /// The description of the API.
    Description,
    /// WHMCS's API.
    Whmcs,
    /// Whether the configuration is valid.
    Health,
    /// The administration's import, whose body has any length.
    Import,
    /// The rest of the administration API. It knows its own paths.
    Admin,
    /// The operator's console. It knows its own paths.
    Console,
    /// The demo. It knows its own paths.
    #[cfg(feature = "demo")]
    Demo,
    /// Every other path: the client area's in gateway mode, otherwise not found.
    ClientArea,
}

/// One row for each route, in the order of [`Route`]. The first row with the path of a request is its route.
///
/// Any method asks who is signed in, because a proxy may pass on the method that it was asked with. WHMCS's API and the import
/// check the method themselves.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    //  name, paths
    //  route                 methods             failures          properties
    row("token", &["/oauth/token", "/oauth/token.php"],
        Route::Token,         "POST",             Format::Json,     &[Body, Secret, Metadata("token_endpoint")]),
    row("sso", &["/oauth/singlesignon", "/oauth/singlesignon.php"],
        Route::Sso,           "GET, POST",        Format::Page,     &[Body]),
    row("revocation", &["/oauth/revoke"],
        Route::Revocation,    "POST",             Format::Json,     &[Body, Secret, Metadata("revocation_endpoint")]),
    row("introspection", &["/oauth/introspect"],
        Route::Introspection, "POST",             Format::Json,     &[Body, Secret, Metadata("introspection_endpoint")]),
    row("receipt", &["/oauth/receipts/"],
        Route::Receipt,       "GET, HEAD",        Format::Json,     &[Secret]),
    row("session", &["/oauth/session"],
        Route::Session,       ANY,                Format::Json,     &[]),
    row("logout", &["/oauth/logout"],
        Route::Logout,        "GET, HEAD, POST",  Format::Page,     &[Body]),
    row("security", &["/account/security"],
        Route::Security,      "GET, HEAD, POST",  Format::Page,     &[Body]),
    row("metadata", &["/.well-known/oauth-authorization-server"],
        Route::Metadata,      "GET, HEAD",        Format::Json,     &[]),
    row("jwks", &["/.well-known/jwks.json"],
        Route::Jwks,          "GET, HEAD",        Format::Json,     &[Metadata("jwks_uri")]),
    row("description", &["/openapi.json"],
        Route::Description,   "GET, HEAD",        Format::Json,     &[]),
    row("whmcs", &["/includes/api.php"],
        Route::Whmcs,         ANY,                Format::Whmcs,    &[Body, Secret]),
    row("health", &["/healthz"],
        Route::Health,        "GET, HEAD",        Format::Json,     &[]),
    row("import", &["/admin/v1/import"],
        Route::Import,        ANY,                Format::Problem,  &[Secret, Administration]),
    row("admin", &["/admin/v1/"],
        Route::Admin,         ANY,                Format::Problem,  &[Body, Secret, Administration]),
    row("console", &["/admin", "/admin/"],
        Route::Console,       "GET, HEAD, POST",  Format::Page,     &[Body, SignInSecret, Administration]),
    #[cfg(feature = "demo")]
    row("demo", &[],
        Route::Demo,          "GET, HEAD, POST",  Format::Page,     &[Body]),
    row("client_area", &[],
        Route::ClientArea,    ANY,                Format::Page,     &[]),
];

/// Any method, or the route checks the method itself.
const ANY: &str = "";

/// What is known of one route.
struct Row {
    /// The name in the log.
    name: &'static str,
    /// The paths. One that ends in a slash stands for everything below it. `.php` spellings are those of WHMCS.
    paths: &'static [&'static str],
    route: Route,
    /// The methods, as in `Allow`.
    methods: &'static str,
    /// The format of failures. [`Format::Page`] stands for a page, unless the request accepts only JSON.
    failures: Format,
    properties: &'static [Property],
}

/// A property that some routes have.
#[derive(PartialEq)]
enum Property {
    /// The body is read before the route is served.
    Body,
    /// Every request presents a secret that could be guessed. A signed token or cookie is none: checking one costs no read, and
    /// who holds a valid one should not suffer from others at the same address.
    Secret,
    /// Only a sign-in to the console presents a secret.
    SignInSecret,
    /// Administration, which has one origin of its own: the setting `CONSOLE_ORIGIN`.
    Administration,
    /// The name in the authorization server's metadata (RFC 8414 section 2).
    Metadata(&'static str),
}

const fn row(
    name: &'static str,
    paths: &'static [&'static str],
    route: Route,
    methods: &'static str,
    failures: Format,
    properties: &'static [Property],
) -> Row {
    Row { name, paths, route, methods, failures, properties }
}

// Each row is at the place of its route, or this does not compile.
const _: () = {
    let (mut rows, mut n) = (TABLE, 0);
    while let [row, rest @ ..] = rows {
        assert!(row.route as usize == n, "the rows are not in the order of the routes");
        (rows, n) = (rest, n + 1);
    }
    assert!(n == Route::ClientArea as usize + 1, "the last route has no row");
};

impl Route {
    /// The route at `request`'s path, once its method is known to be allowed there.
    ///
    /// # Errors
    /// 405 with `Allow` (RFC 9110 section 15.5.6).
    pub fn of(request: &Request) -> Result<Self, Failure> {
        let route = Self::at(&request.path);
        let methods = route.row().methods;
        let is_allowed = methods == ANY || methods.split(", ").any(|name| Method::parse(name) == request.method);
        if is_allowed { Ok(route) } else { Err(Failure::method_not_allowed(methods)) }
    }

    fn at(path: &str) -> Self {
        match Self::paths().find(|(own, _)| *own == path || own.ends_with('/') && path.starts_with(own)) {
            Some((_, route)) => route,
            #[cfg(feature = "demo")]
            None if crate::demo::owns(path) => Self::Demo,
            None => Self::ClientArea,
        }
    }

    #[expect(clippy::indexing_slicing, reason = "each row is at the place of its route, as checked above")]
    const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    fn has(self, property: &Property) -> bool {
        self.row().properties.contains(property)
    }

    /// Every path of the table, and its route.
    pub(crate) fn paths() -> impl Iterator<Item = (&'static str, Self)> {
        TABLE.iter().flat_map(|row| row.paths.iter().map(|path| (*path, row.route)))
    }

    /// The endpoints that the authorization server's metadata names: name and path.
    pub fn advertised() -> impl Iterator<Item = (&'static str, &'static str)> {
        let names = |row: &'static Row| {
            row.properties.iter().filter_map(|property| match property {
                Metadata(name) => Some(*name),
                Body | Secret | SignInSecret | Administration => None,
            })
        };
        TABLE.iter().flat_map(move |row| names(row).zip(row.paths.iter().copied()))
    }

    /// The route's name in the log.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The format of failures at `request`'s path. A route for programs has one format, whatever the request accepts.
    pub fn format(request: &Request) -> Format {
        match Self::at(&request.path).row().failures {
            Format::Page => Format::of(request),
            format => format,
        }
    }

    /// Whether browsers open the route's GET as a page.
    pub fn is_page(self) -> bool {
        self.row().failures == Format::Page
    }

    /// Whether the route is administration.
    pub fn is_administration(self) -> bool {
        self.has(&Administration)
    }

    /// Whether the route's body is read before it is served.
    pub fn takes_body(self) -> bool {
        self.has(&Body)
    }

    /// Whether `request`, on this route, presents a secret that could be guessed.
    pub fn takes_secret(self, request: &Request) -> bool {
        self.has(&Secret) || self.has(&SignInSecret) && SignInRequest::is_entry(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request_for_test as request;

    const METHODS: [Method; 7] =
        [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete, Method::Other];

    #[test]
    fn each_route_has_its_row() {
        let (_, routes) = include_str!("route.rs").split_once("pub enum Route {").unwrap();
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
    fn every_other_path_is_the_client_areas() {
        for path in [
            "/nowhere",
            "/oauth",
            "/oauth/token/",
            "/OAUTH/TOKEN",
            "/oauth/receipts",
            "/account/",
            "/account/security/",
            "/administration",
            "//oauth/token",
        ] {
            assert_eq!(Route::of(&request(Method::Get, path, &[], "")), Ok(Route::ClientArea), "{path}");
        }
    }

    #[test]
    fn only_a_slash_at_the_end_stands_for_what_is_below() {
        assert_eq!(Route::paths().filter(|(path, _)| path.ends_with('/')).count(), 3);
        for path in ["/admin/v1/", "/admin/v1/users/1", "/oauth/receipts/", "/oauth/receipts/x/y"] {
            assert_ne!(Route::of(&request(Method::Get, path, &[], "")), Ok(Route::ClientArea), "{path}");
        }
    }

    #[test]
    fn the_import_is_told_from_the_rest_of_the_administration() {
        for (path, route) in [
            ("/admin/v1/import", Route::Import),
            ("/admin/v1/import/", Route::Admin),
            ("/admin/v1/imports", Route::Admin),
        ] {
            assert_eq!(Route::of(&request(Method::Post, path, &[], "")), Ok(route), "{path}");
        }
        assert!(!Route::Import.takes_body() && Route::Admin.takes_body());
    }

    #[test]
    fn a_secret_is_presented_where_one_could_be_guessed() {
        for (path, takes_secret) in [
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
            assert_eq!(Route::at(path).takes_secret(&request), takes_secret, "{path}");
        }
    }

    #[test]
    fn what_the_metadata_names_is_there() {
        let names: Vec<_> = Route::advertised().map(|(name, _)| name).collect();
        assert_eq!(names, ["token_endpoint", "revocation_endpoint", "introspection_endpoint", "jwks_uri"]);
    }
}
