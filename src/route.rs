//! The routes: the paths, methods and properties of each.

use crate::console::SignInRequest;
use crate::failure_response::Format;
use crate::http::{Failure, Method, Request};
use Property::{Administration, Body, Metadata, Secret, SignInSecret};

/// The route of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    Token,
    Sso,
    Revocation,
    Introspection,
    /// The state of a token, for the application to which it was issued.
    Receipt,
    /// Forward authentication: the user of a session.
    Session,
    Logout,
    /// The page on which a user manages sessions.
    Security,
    /// Authorization server metadata.
    Metadata,
    /// The public keys of assertions.
    Jwks,
    Description,
    Whmcs,
    /// The check of the configuration.
    Health,
    /// The import, whose body is streamed without a limit.
    Import,
    /// The administration API except the import. It parses its paths itself.
    Admin,
    /// The operator's console. It parses its paths itself.
    Console,
    /// The demo. It parses its paths itself.
    #[cfg(feature = "demo")]
    Demo,
    /// Every other path: the client area in gateway mode, 404 otherwise.
    ClientArea,
}

/// One row for each route, in the order of [`Route`]. The first row that matches the path of a request is its route.
///
/// Forward authentication accepts any method, because a proxy may repeat the method of the original request. WHMCS's API and
/// the import check the method themselves.
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

/// The route accepts any method or checks the method itself.
const ANY: &str = "";

struct Row {
    /// The name in the log.
    name: &'static str,
    /// A path that ends in a slash matches everything below it. WHMCS uses the paths that end in `.php`.
    paths: &'static [&'static str],
    route: Route,
    /// The methods in the format of `Allow`.
    methods: &'static str,
    /// The format of failures. With [`Format::Page`], requests that accept JSON and not HTML get JSON.
    failures: Format,
    properties: &'static [Property],
}

#[derive(PartialEq)]
enum Property {
    /// The body is read before the route is served.
    Body,
    /// Every request contains a secret that could be guessed, so failed attempts are limited by address. Signed tokens and
    /// cookies cannot be guessed, and their owners must not be affected by other callers at the same address.
    Secret,
    /// Only a sign-in to the console contains a secret.
    SignInSecret,
    /// The route is served only on the origin of the setting `CONSOLE_ORIGIN`.
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

// Fails to compile unless each row is at the index of its route.
const _: () = {
    let (mut rows, mut n) = (TABLE, 0);
    while let [row, rest @ ..] = rows {
        assert!(row.route as usize == n, "the rows are not in the order of the routes");
        (rows, n) = (rest, n + 1);
    }
    assert!(n == Route::ClientArea as usize + 1, "the last route has no row");
};

impl Route {
    /// The route of `request`, if it allows the method.
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

    #[expect(clippy::indexing_slicing, reason = "each row is at the index of its route, as checked above")]
    const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    fn has(self, property: &Property) -> bool {
        self.row().properties.contains(property)
    }

    pub(crate) fn paths() -> impl Iterator<Item = (&'static str, Self)> {
        TABLE.iter().flat_map(|row| row.paths.iter().map(|path| (*path, row.route)))
    }

    /// The name and the path of each endpoint in the authorization server metadata.
    pub fn advertised() -> impl Iterator<Item = (&'static str, &'static str)> {
        let names = |row: &'static Row| {
            row.properties.iter().filter_map(|property| match property {
                Metadata(name) => Some(*name),
                Body | Secret | SignInSecret | Administration => None,
            })
        };
        TABLE.iter().flat_map(move |row| names(row).zip(row.paths.iter().copied()))
    }

    /// The name in the log.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The format of failures at the path of `request`. A route for programs has one format, regardless of `Accept`.
    pub fn format(request: &Request) -> Format {
        match Self::at(&request.path).row().failures {
            Format::Page => Format::of(request),
            format => format,
        }
    }

    /// Whether browsers open the route as a page.
    pub fn is_page(self) -> bool {
        self.row().failures == Format::Page
    }

    pub fn is_administration(self) -> bool {
        self.has(&Administration)
    }

    /// Whether the body is read before the route is served.
    pub fn has_body(self) -> bool {
        self.has(&Body)
    }

    /// Whether `request` contains a secret that could be guessed.
    pub fn has_secret(self, request: &Request) -> bool {
        self.has(&Secret) || self.has(&SignInSecret) && SignInRequest::is_entry(request)
    }
}

#[cfg(test)]
mod tests;
