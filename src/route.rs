//! The routes: which path and method lead where. `.php` spellings are those of WHMCS.

use crate::console::SignInRequest;
use crate::failure_response::Format;
use crate::http::{Failure, Method, Request};

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
    /// Every other path: the client area's in gateway mode, else nothing.
    ClientArea,
}

/// What lives at a path.
struct Entry {
    /// The path. One that ends in a slash stands for everything below it.
    path: &'static str,
    route: Route,
    /// The methods it takes, as in `Allow`; empty if it takes any or decides for itself.
    allow: &'static str,
    /// Its name in the authorization server's metadata (RFC 8414 section 2), if it has one.
    metadata: Option<&'static str>,
}

const fn entry(path: &'static str, route: Route, allow: &'static str) -> Entry {
    Entry { path, route, allow, metadata: None }
}

const fn advertised(path: &'static str, route: Route, allow: &'static str, metadata: &'static str) -> Entry {
    Entry { path, route, allow, metadata: Some(metadata) }
}

/// Every path of Signet. A proxy that asks who is signed in may pass on whatever method it was asked with; which methods
/// WHMCS's API takes is a setting.
const TABLE: [Entry; 19] = [
    advertised("/oauth/token", Route::Token, "POST", "token_endpoint"),
    entry("/oauth/token.php", Route::Token, "POST"),
    entry("/oauth/singlesignon", Route::Sso, "GET, POST"),
    entry("/oauth/singlesignon.php", Route::Sso, "GET, POST"),
    advertised("/oauth/revoke", Route::Revocation, "POST", "revocation_endpoint"),
    advertised("/oauth/introspect", Route::Introspection, "POST", "introspection_endpoint"),
    entry("/oauth/receipts/", Route::Receipt, "GET, HEAD"),
    entry("/oauth/session", Route::Session, ""),
    entry("/oauth/logout", Route::Logout, "GET, HEAD, POST"),
    entry("/account/security", Route::Security, "GET, HEAD, POST"),
    entry("/.well-known/oauth-authorization-server", Route::Metadata, "GET, HEAD"),
    advertised("/.well-known/jwks.json", Route::Jwks, "GET, HEAD", "jwks_uri"),
    entry("/openapi.json", Route::Description, "GET, HEAD"),
    entry("/includes/api.php", Route::Whmcs, ""),
    entry("/healthz", Route::Health, "GET, HEAD"),
    entry("/admin/v1/import", Route::Import, ""),
    entry("/admin/v1/", Route::Admin, ""),
    entry("/admin", Route::Console, "GET, HEAD, POST"),
    entry("/admin/", Route::Console, "GET, HEAD, POST"),
];

impl Route {
    /// The route at `request`'s path, once its method is known to be allowed there.
    ///
    /// # Errors
    /// 405 with `Allow` (RFC 9110 section 15.5.6).
    pub fn of(request: &Request) -> Result<Self, Failure> {
        let (route, allow) = Self::at(&request.path);
        let is_allowed = allow.is_empty() || allow.split(", ").any(|name| Method::parse(name) == request.method);
        if is_allowed { Ok(route) } else { Err(Failure::method_not_allowed(allow)) }
    }

    fn at(path: &str) -> (Self, &'static str) {
        let is_there = |entry: &&Entry| entry.path == path || entry.path.ends_with('/') && path.starts_with(entry.path);
        match TABLE.iter().find(is_there) {
            Some(entry) => (entry.route, entry.allow),
            #[cfg(feature = "demo")]
            None if crate::demo::owns(path) => (Self::Demo, "GET, HEAD, POST"),
            None => (Self::ClientArea, ""),
        }
    }

    /// The endpoints that the authorization server's metadata names: name and path.
    pub fn advertised() -> impl Iterator<Item = (&'static str, &'static str)> {
        TABLE.iter().filter_map(|entry| entry.metadata.map(|name| (name, entry.path)))
    }

    /// Every path of the table, and its route.
    #[cfg(test)]
    pub(crate) fn paths() -> impl Iterator<Item = (&'static str, Self)> {
        TABLE.iter().map(|entry| (entry.path, entry.route))
    }

    /// The format of failures at `request`'s path. A route for programs has one format, whatever the request accepts.
    pub fn format(request: &Request) -> Format {
        match Self::at(&request.path).0 {
            Self::Token
            | Self::Revocation
            | Self::Introspection
            | Self::Receipt
            | Self::Session
            | Self::Metadata
            | Self::Jwks
            | Self::Description
            | Self::Health => Format::Json,
            Self::Whmcs => Format::Whmcs,
            Self::Import | Self::Admin => Format::Problem,
            Self::Sso | Self::Logout | Self::Security | Self::Console | Self::ClientArea => Format::of(request),
            #[cfg(feature = "demo")]
            Self::Demo => Format::of(request),
        }
    }

    /// Whether the route is administration, which has one origin of its own: the setting `CONSOLE_ORIGIN`.
    pub const fn is_administration(self) -> bool {
        matches!(self, Self::Import | Self::Admin | Self::Console)
    }

    /// Whether browsers open the route's GET as a page.
    pub const fn is_page(self) -> bool {
        match self {
            Self::Sso | Self::Logout | Self::Security | Self::Console | Self::ClientArea => true,
            Self::Token
            | Self::Revocation
            | Self::Introspection
            | Self::Receipt
            | Self::Session
            | Self::Metadata
            | Self::Jwks
            | Self::Description
            | Self::Whmcs
            | Self::Health
            | Self::Import
            | Self::Admin => false,
            #[cfg(feature = "demo")]
            Self::Demo => true,
        }
    }

    /// The route's name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Sso => "sso",
            Self::Revocation => "revocation",
            Self::Introspection => "introspection",
            Self::Receipt => "receipt",
            Self::Session => "session",
            Self::Logout => "logout",
            Self::Security => "security",
            Self::Metadata => "metadata",
            Self::Jwks => "jwks",
            Self::Description => "description",
            Self::Whmcs => "whmcs",
            Self::Health => "health",
            Self::Import => "import",
            Self::Admin => "admin",
            Self::Console => "console",
            #[cfg(feature = "demo")]
            Self::Demo => "demo",
            Self::ClientArea => "client_area",
        }
    }

    /// Whether `request`, on this route, presents a secret that could be guessed. A signed token or cookie is none: to judge one
    /// costs no read, and who holds a good one should not suffer from others at the same address.
    pub fn takes_secret(self, request: &Request) -> bool {
        match self {
            Self::Token
            | Self::Revocation
            | Self::Introspection
            | Self::Receipt
            | Self::Whmcs
            | Self::Import
            | Self::Admin => true,
            Self::Console => SignInRequest::is_entry(request),
            Self::Sso
            | Self::Session
            | Self::Logout
            | Self::Security
            | Self::Metadata
            | Self::Jwks
            | Self::Description
            | Self::Health
            | Self::ClientArea => false,
            #[cfg(feature = "demo")]
            Self::Demo => false,
        }
    }

    /// Whether the route's body is read before it is served.
    pub const fn takes_body(self) -> bool {
        match self {
            Self::Token
            | Self::Sso
            | Self::Revocation
            | Self::Introspection
            | Self::Logout
            | Self::Security
            | Self::Whmcs
            | Self::Admin
            | Self::Console => true,
            Self::Receipt
            | Self::Session
            | Self::Metadata
            | Self::Jwks
            | Self::Description
            | Self::Health
            | Self::Import
            | Self::ClientArea => false,
            #[cfg(feature = "demo")]
            Self::Demo => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request_for_test as request;

    const METHODS: [Method; 7] =
        [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete, Method::Other];

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
        assert_eq!(TABLE.iter().filter(|entry| entry.path.ends_with('/')).count(), 3);
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
            assert_eq!(Route::at(path).0.takes_secret(&request), takes_secret, "{path}");
        }
    }

    #[test]
    fn what_the_metadata_names_is_there() {
        let names: Vec<_> = Route::advertised().map(|(name, _)| name).collect();
        assert_eq!(names, ["token_endpoint", "revocation_endpoint", "introspection_endpoint", "jwks_uri"]);
    }
}
