//! A request to the SSO endpoint, parsed whole, and the journey it asks for.

use super::NONCE_MARK;
use crate::destination::{ClientArea, DestinationInputs, RelativePath, Scope};
use crate::http::{ErrorCode, Failure, Method, Params, Request};
use crate::id::OwnedId;
use crate::secret::Secret;
use crate::token::Claims;

/// A well-formed request to the SSO endpoint. Unknown parameters, such as `goto`, are ignored.
#[derive(Debug)]
pub struct SsoRequest {
    /// The token, not yet opened.
    pub access_token: Secret,
    /// The destination asked for.
    pub destination: Option<Scope>,
    /// The destination inputs asked for.
    pub inputs: DestinationInputs,
    /// The confirmation of an account switch.
    pub switch: Option<Secret>,
    /// Whether its first hop is done, see [`NONCE_MARK`].
    pub is_marked: bool,
    /// Whether it is a POST.
    pub is_post: bool,
}

impl SsoRequest {
    /// Refuses what must never spend a token: prefetches, and whatever is not a top-level
    /// navigation (Fetch Metadata, `Sec-Fetch-Dest`).
    ///
    /// # Errors
    /// 503 for a prefetch, 403 for anything but a navigation.
    pub fn check_navigation(request: &Request) -> Result<(), Failure> {
        const PREFETCH: Failure =
            Failure::of(503, ErrorCode::TemporarilyUnavailable, "A sign-in link cannot be fetched ahead of time.");
        const NOT_A_NAVIGATION: Failure =
            Failure::of(403, ErrorCode::AccessDenied, "A sign-in link works only when it is opened as a page.");
        let announces = |name: &str, word: &str| {
            request.headers.get(name).is_some_and(|value| value.to_ascii_lowercase().contains(word))
        };
        let is_prefetch = announces("sec-purpose", "prefetch")
            || announces("purpose", "prefetch")
            || announces("x-purpose", "preview")
            || announces("x-moz", "prefetch");
        if is_prefetch {
            return Err(PREFETCH);
        }
        match request.headers.get("sec-fetch-dest") {
            None | Some("document") => Ok(()),
            Some(_) => Err(NOT_A_NAVIGATION),
        }
    }

    /// Parses the query, and the form of a POST.
    ///
    /// # Errors
    /// 400 `invalid_request` or `invalid_scope`. Nothing is spent.
    pub fn parse(request: &Request) -> Result<Self, Failure> {
        let is_post = request.method == Method::Post;
        if is_post && !request.body.is_empty() {
            request.check_form()?;
        }
        if request.headers.get("authorization").is_some() {
            return Err(Failure::bad_request("The token belongs in the parameter access_token alone."));
        }
        let params = Params::parse(request.query.as_bytes(), &request.body)?;
        let access_token =
            params.get("access_token").ok_or(Failure::bad_request("The parameter access_token is missing."))?;
        let destination = params.parsed("scope", parse_destination, INVALID_DESTINATION)?;
        Ok(Self {
            access_token: Secret::new(access_token),
            destination,
            inputs: DestinationInputs::parse(&params)?,
            switch: params.get("switch").map(Secret::new),
            is_marked: params.get(NONCE_MARK).is_some(),
            is_post,
        })
    }

    /// The same request as the query of a GET, for a browser that is to come back with its cookies. With `mark`, its first
    /// hop is done.
    pub fn to_query(&self, mark: bool) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.fields().chain(mark.then_some((NONCE_MARK, "1"))) {
            query.append_pair(name, value);
        }
        query.finish()
    }

    /// The parameters that make this request, except the confirmation and the mark.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("access_token", Some(self.access_token.expose())),
            ("scope", self.destination.map(Scope::as_str)),
            ("service_id", self.inputs.service_id.as_ref().map(OwnedId::as_str)),
            ("domain_id", self.inputs.domain_id.as_ref().map(OwnedId::as_str)),
            ("sso_redirect_path", self.inputs.sso_redirect_path.as_ref().map(RelativePath::as_str)),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
    }
}

const INVALID_DESTINATION: Failure = Failure::of(400, ErrorCode::InvalidScope, "The scope is not a destination.");

fn parse_destination(text: &str) -> Option<Scope> {
    Scope::parse(text).filter(|scope| *scope != Scope::BASE)
}

/// Where a request leads, with all that token and request say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journey {
    /// The destination; none is the client area's home.
    pub destination: Option<Scope>,
    /// The inputs of both.
    pub inputs: DestinationInputs,
    /// The absolute address.
    pub location: String,
}

impl Journey {
    /// Plans the journey of `request` with the token's `claims`. What is signed wins.
    ///
    /// # Errors
    /// 400: a destination that was not granted, a contradiction, or a missing input. Nothing is spent.
    pub fn plan(request: &SsoRequest, claims: &Claims, client_area: &ClientArea) -> Result<Self, Failure> {
        let destination = match request.destination {
            Some(scope) if claims.scope.contains(scope) => Some(scope),
            Some(_) => {
                return Err(Failure::of(400, ErrorCode::InvalidScope, "The scope was not granted to this token."));
            }
            None => claims.scope.only_destination(),
        };
        let (signed, asked) = (&claims.inputs, &request.inputs);
        let inputs = DestinationInputs {
            service_id: agree(&signed.service_id, &asked.service_id)?,
            domain_id: agree(&signed.domain_id, &asked.domain_id)?,
            sso_redirect_path: agree(&signed.sso_redirect_path, &asked.sso_redirect_path)?,
        };
        let located = client_area.locate(destination, &inputs);
        let location = located.map_err(|missing| Failure::bad_request(missing.message()))?;
        Ok(Self { destination, inputs, location })
    }
}

fn agree<T: Clone + PartialEq>(signed: &Option<T>, asked: &Option<T>) -> Result<Option<T>, Failure> {
    match (signed, asked) {
        (Some(signed), Some(asked)) if signed != asked => {
            Err(Failure::bad_request("The request contradicts what is signed into the token."))
        }
        (Some(value), _) | (None, Some(value)) => Ok(Some(value.clone())),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
