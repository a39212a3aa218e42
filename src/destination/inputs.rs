//! The parameters that a destination needs beside its scope.

use super::RelativePath;
use crate::http::{Failure, Params};
use crate::id::OwnedId;

/// The destination inputs of a token or a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DestinationInputs {
    /// The service that `clientarea:product_details` shows.
    pub service_id: Option<OwnedId>,
    /// The domain that `clientarea:domain_details` shows.
    pub domain_id: Option<OwnedId>,
    /// The path of `sso:custom_redirect`.
    pub sso_redirect_path: Option<RelativePath>,
}

impl DestinationInputs {
    /// Parses the parameters of the same names.
    ///
    /// # Errors
    /// 400 `invalid_request`.
    pub fn parse(params: &Params) -> Result<Self, Failure> {
        const BAD_SERVICE: Failure = Failure::bad_request("The service_id is malformed.");
        const BAD_DOMAIN: Failure = Failure::bad_request("The domain_id is malformed.");
        const BAD_PATH: Failure = Failure::bad_request("The sso_redirect_path is not a path within the client area.");
        Ok(Self {
            service_id: params.parsed("service_id", OwnedId::parse, BAD_SERVICE)?,
            domain_id: params.parsed("domain_id", OwnedId::parse, BAD_DOMAIN)?,
            sso_redirect_path: params.parsed("sso_redirect_path", RelativePath::parse, BAD_PATH)?,
        })
    }
}

/// A destination input that the destination needs and the request does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingInput {
    ServiceId,
    DomainId,
    RedirectPath,
}

impl MissingInput {
    pub const fn message(self) -> &'static str {
        match self {
            Self::ServiceId => "The destination needs a service_id.",
            Self::DomainId => "The destination needs a domain_id.",
            Self::RedirectPath => "The destination needs an sso_redirect_path.",
        }
    }
}
