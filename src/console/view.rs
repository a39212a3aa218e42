//! The console's pages and their addresses.

use crate::http::{Failure, Params};
use crate::id::{ClientId, TokenId, UserId};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// A page of the console. `Users` and `Tokens` have a search form. `Export` is JSON to download. A `cursor` is signed and not
/// verified yet; without one it is the first page of the list. `Token` has its user if Signet may store no record of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    Overview,
    Health,
    Credentials { cursor: Option<String> },
    NewCredential,
    Credential(ClientId),
    Users,
    User { id: UserId, cursor: Option<String> },
    Export(UserId),
    Tokens,
    Token { jti: TokenId, user: Option<UserId> },
    ApiCredentials { cursor: Option<String> },
    NewApiCredential,
    ApiCredential(ClientId),
}

/// An entry of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Overview,
    Credentials,
    Users,
    Tokens,
    ApiCredentials,
    Health,
}

impl Section {
    pub const ALL: [Self; 6] =
        [Self::Overview, Self::Credentials, Self::Users, Self::Tokens, Self::ApiCredentials, Self::Health];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Credentials => "Credential sets",
            Self::Users => "Users",
            Self::Tokens => "Tokens",
            Self::ApiCredentials => "API credentials",
            Self::Health => "Health",
        }
    }

    pub const fn view(self) -> View {
        match self {
            Self::Overview => View::Overview,
            Self::Credentials => View::Credentials { cursor: None },
            Self::Users => View::Users,
            Self::Tokens => View::Tokens,
            Self::ApiCredentials => View::ApiCredentials { cursor: None },
            Self::Health => View::Health,
        }
    }
}

impl View {
    /// Returns the page at a path below `/admin`.
    ///
    /// # Errors
    /// 404, or 400 for a malformed id.
    pub fn parse(segments: &[&str], params: &Params) -> Result<Self, Failure> {
        let cursor = || params.get("cursor").map(str::to_owned);
        Ok(match segments {
            [] | [""] => Self::Overview,
            ["health"] => Self::Health,
            ["credentials"] => Self::Credentials { cursor: cursor() },
            ["credentials", "new"] => Self::NewCredential,
            ["credentials", id] => Self::Credential(parse_id(id, ClientId::parse)?),
            ["users"] => Self::Users,
            ["users", id] => Self::User { id: parse_id(id, UserId::parse)?, cursor: cursor() },
            ["users", id, "export"] => Self::Export(parse_id(id, UserId::parse)?),
            ["tokens"] => Self::Tokens,
            ["tokens", jti] => Self::Token {
                jti: parse_id(jti, TokenId::parse)?,
                user: params.get("user_id").map(|id| parse_id(id, UserId::parse)).transpose()?,
            },
            ["api-credentials"] => Self::ApiCredentials { cursor: cursor() },
            ["api-credentials", "new"] => Self::NewApiCredential,
            ["api-credentials", id] => Self::ApiCredential(parse_id(id, ClientId::parse)?),
            _ => return Err(Failure::NOT_FOUND),
        })
    }

    /// The page of a user, with the newest events.
    pub const fn user(id: UserId) -> Self {
        Self::User { id, cursor: None }
    }

    /// The address of the page without the origin.
    pub fn address(&self) -> String {
        let quoted = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let list = |path: &str, cursor: &Option<String>| match cursor {
            Some(cursor) => format!("/admin/{path}?cursor={}", quoted(cursor)),
            None => format!("/admin/{path}"),
        };
        match self {
            Self::Overview => "/admin".to_owned(),
            Self::Health => "/admin/health".to_owned(),
            Self::Credentials { cursor } => list("credentials", cursor),
            Self::NewCredential => "/admin/credentials/new".to_owned(),
            Self::Credential(id) => format!("/admin/credentials/{}", quoted(id.as_str())),
            Self::Users => "/admin/users".to_owned(),
            Self::User { id, cursor } => list(&format!("users/{id}"), cursor),
            Self::Export(id) => format!("/admin/users/{id}/export"),
            Self::Tokens => "/admin/tokens".to_owned(),
            Self::Token { jti, user: None } => format!("/admin/tokens/{jti}"),
            Self::Token { jti, user: Some(user) } => format!("/admin/tokens/{jti}?user_id={user}"),
            Self::ApiCredentials { cursor } => list("api-credentials", cursor),
            Self::NewApiCredential => "/admin/api-credentials/new".to_owned(),
            Self::ApiCredential(id) => format!("/admin/api-credentials/{}", quoted(id.as_str())),
        }
    }

    pub const fn section(&self) -> Section {
        match self {
            Self::Overview => Section::Overview,
            Self::Health => Section::Health,
            Self::Credentials { .. } | Self::NewCredential | Self::Credential(_) => Section::Credentials,
            Self::Users | Self::User { .. } | Self::Export(_) => Section::Users,
            Self::Tokens | Self::Token { .. } => Section::Tokens,
            Self::ApiCredentials { .. } | Self::NewApiCredential | Self::ApiCredential(_) => Section::ApiCredentials,
        }
    }
}

fn parse_id<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Failure> {
    parse(text).ok_or(Failure::bad_request("The id is malformed."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(address: &str) -> Result<View, Failure> {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let decoded: Vec<_> = path
            .strip_prefix("/admin")
            .unwrap()
            .split('/')
            .skip(1)
            .map(|segment| percent_encoding::percent_decode_str(segment).decode_utf8().unwrap())
            .collect();
        View::parse(
            &decoded.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
            &Params::parse(query.as_bytes(), b"").unwrap(),
        )
    }

    #[test]
    fn every_page_has_its_address() {
        let client = ClientId::parse("ACME.q1+/w==").unwrap();
        let user = UserId::parse("42").unwrap();
        for view in [
            View::Overview,
            View::Health,
            View::Credentials { cursor: None },
            View::Credentials { cursor: Some("a b/+".into()) },
            View::NewCredential,
            View::Credential(client.clone()),
            View::Users,
            View::user(user.clone()),
            View::User { id: user.clone(), cursor: Some("a.b-c".into()) },
            View::Export(user.clone()),
            View::Tokens,
            View::Token { jti: TokenId::from_random([1; 16]), user: None },
            View::Token { jti: TokenId::from_random([1; 16]), user: Some(user) },
            View::ApiCredentials { cursor: None },
            View::NewApiCredential,
            View::ApiCredential(client),
        ] {
            assert_eq!(parse(&view.address()), Ok(view.clone()), "{}", view.address());
        }
        for section in Section::ALL {
            assert_eq!(section.view().section(), section);
        }
    }

    #[test]
    fn other_addresses_are_refused() {
        for (address, status) in [
            ("/admin/v2", 404),
            ("/admin/users/1/2", 404),
            ("/admin/users/", 400),
            ("/admin/users/a%20b", 400),
            ("/admin/tokens/x", 400),
            ("/admin/tokens/AQEBAQEBAQEBAQEBAQEBAQ?user_id=a%20b", 400),
            ("/admin/credentials/%20", 400),
            ("/admin/health/", 404),
        ] {
            assert_eq!(parse(address).unwrap_err().status, status, "{address}");
        }
    }
}
