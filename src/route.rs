//! The routes: which path and method lead where. `.php` spellings are those of WHMCS.

use crate::http::{Failure, Format, Method, Request};

/// Where a request leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The token endpoint.
    Token,
    /// The SSO endpoint.
    Sso,
    /// Who is signed in.
    Session,
    /// Sign out.
    Logout,
    /// Is the configuration sound?
    Health,
    /// The administration API. It knows its own paths.
    Admin,
    /// The demo. It knows its own paths.
    #[cfg(feature = "demo")]
    Demo,
}

impl Route {
    /// The route at `request`'s path, once its method is known to be allowed there.
    ///
    /// # Errors
    /// 404, or 405 with `Allow` (RFC 9110 section 15.5.6).
    pub fn of(request: &Request) -> Result<Self, Failure> {
        let (route, allow) = Self::at(&request.path).ok_or(Failure::NOT_FOUND)?;
        let is_allowed = match route {
            Self::Token | Self::Logout => request.method == Method::Post,
            Self::Sso => matches!(request.method, Method::Get | Method::Post),
            Self::Session | Self::Health => matches!(request.method, Method::Get | Method::Head),
            Self::Admin => true,
            #[cfg(feature = "demo")]
            Self::Demo => matches!(request.method, Method::Get | Method::Head | Method::Post),
        };
        if is_allowed { Ok(route) } else { Err(Failure::method_not_allowed(allow)) }
    }

    fn at(path: &str) -> Option<(Self, &'static str)> {
        Some(match path {
            "/oauth/token" | "/oauth/token.php" => (Self::Token, "POST"),
            "/oauth/singlesignon" | "/oauth/singlesignon.php" => (Self::Sso, "GET, POST"),
            "/oauth/session" => (Self::Session, "GET, HEAD"),
            "/oauth/logout" => (Self::Logout, "POST"),
            "/healthz" => (Self::Health, "GET, HEAD"),
            _ if path.starts_with("/admin/v1/") => (Self::Admin, ""),
            #[cfg(feature = "demo")]
            _ if crate::demo::owns(path) => (Self::Demo, "GET, HEAD, POST"),
            _ => return None,
        })
    }

    /// How failures are told at `request`'s path: machines get their own format, whatever they accept.
    pub fn format(request: &Request) -> Format {
        match Self::at(&request.path) {
            Some((Self::Token | Self::Session | Self::Health, _)) => Format::Json,
            Some((Self::Admin, _)) => Format::Problem,
            Some((Self::Sso | Self::Logout, _)) | None => request.format(),
            #[cfg(feature = "demo")]
            Some((Self::Demo, _)) => request.format(),
        }
    }

    /// The route's name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Sso => "sso",
            Self::Session => "session",
            Self::Logout => "logout",
            Self::Health => "health",
            Self::Admin => "admin",
            #[cfg(feature = "demo")]
            Self::Demo => "demo",
        }
    }

    /// Whether the route reads a body.
    pub const fn takes_body(self) -> bool {
        match self {
            Self::Token | Self::Sso | Self::Admin => true,
            Self::Session | Self::Logout | Self::Health => false,
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
            ("/oauth/session", vec![Method::Get, Method::Head], "GET, HEAD"),
            ("/oauth/logout", vec![Method::Post], "POST"),
            ("/healthz", vec![Method::Get, Method::Head], "GET, HEAD"),
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
    fn other_paths_are_not_found() {
        for path in
            ["/nowhere", "/oauth", "/oauth/token/", "/OAUTH/TOKEN", "/admin", "/admin/v2/users/1", "//oauth/token"]
        {
            assert_eq!(Route::of(&request(Method::Get, path, &[], "")), Err(Failure::NOT_FOUND), "{path}");
        }
    }
}
