//! A request to the SSO endpoint, parsed whole.

use super::nonce::NONCE_PARAMETER;
use crate::destination::{DestinationInputs, RelativePath, Scope};
use crate::http::{ErrorCode, Failure, HeaderName, Method, Params, Request};
use crate::id::OwnedId;
use crate::secret::Secret;

/// A request to the SSO endpoint. Unknown parameters, such as `goto`, are ignored.
#[derive(Debug)]
pub struct SsoRequest {
    /// The text of the token, not yet verified.
    pub access_token: Secret,
    /// The requested destination.
    pub destination: Option<Scope>,
    pub inputs: DestinationInputs,
    /// The sealed [`super::SwitchConfirmation`], not yet verified.
    pub switch: Option<Secret>,
    /// Whether Signet has already redirected the browser to set its nonce.
    pub has_nonce_parameter: bool,
    pub is_post: bool,
}

impl SsoRequest {
    /// Refuses requests that must not use up a token: prefetches, and those that are no top-level navigation (Fetch Metadata,
    /// `Sec-Fetch-Dest`).
    ///
    /// # Errors
    /// 503 for a prefetch, 403 for a request that is no navigation.
    pub fn check_navigation(request: &Request) -> Result<(), Failure> {
        const PREFETCH: Failure =
            Failure::of(503, ErrorCode::TemporarilyUnavailable, "A sign-in link cannot be fetched ahead of time.");
        const NOT_A_NAVIGATION: Failure =
            Failure::of(403, ErrorCode::AccessDenied, "A sign-in link works only when it is opened as a page.");
        let mut announcements = [
            (HeaderName::SecPurpose, "prefetch"),
            (HeaderName::Purpose, "prefetch"),
            (HeaderName::XPurpose, "preview"),
            (HeaderName::XMoz, "prefetch"),
        ]
        .into_iter();
        let has = |name, word| request.headers.get(name).is_some_and(|value| value.to_ascii_lowercase().contains(word));
        if announcements.any(|(name, word)| has(name, word)) {
            return Err(PREFETCH);
        }
        match request.headers.get(HeaderName::SecFetchDest) {
            None | Some("document") => Ok(()),
            Some(_) => Err(NOT_A_NAVIGATION),
        }
    }

    /// Parses the query, and the form of a POST.
    ///
    /// # Errors
    /// 400 `invalid_request` or `invalid_scope`. The token is not used up.
    pub fn parse(request: &Request) -> Result<Self, Failure> {
        const INVALID_DESTINATION: Failure =
            Failure::of(400, ErrorCode::InvalidScope, "The scope is not a destination.");
        let is_post = request.method == Method::Post;
        if is_post && !request.body.is_empty() {
            request.check_form()?;
        }
        if request.headers.get(HeaderName::Authorization).is_some() {
            return Err(Failure::bad_request("The token belongs in the parameter access_token alone."));
        }
        let params = Params::parse(request.query.as_bytes(), &request.body)?;
        let access_token =
            params.get("access_token").ok_or(Failure::bad_request("The parameter access_token is missing."))?;
        let destination = params.parsed("scope", Scope::parse_destination, INVALID_DESTINATION)?;
        Ok(Self {
            access_token: Secret::new(access_token),
            destination,
            inputs: DestinationInputs::parse(&params)?,
            switch: params.get("switch").map(Secret::new),
            has_nonce_parameter: params.get(NONCE_PARAMETER).is_some(),
            is_post,
        })
    }

    /// The query of a GET with the same parameters, for a redirect after which the browser sends its cookies.
    pub fn to_query(&self, with_nonce_parameter: bool) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.fields().chain(with_nonce_parameter.then_some((NONCE_PARAMETER, "1"))) {
            query.append_pair(name, value);
        }
        query.finish()
    }

    /// The parameters of this request, except `switch` and `nonce`.
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

#[cfg(test)]
pub(super) mod tests;
