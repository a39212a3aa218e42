//! What a destination needs to know beside its scope.

use super::RelativePath;
use crate::http::{Failure, Params};
use crate::id::OwnedId;
use serde::{Deserialize, Serialize};

/// What a token or a request says of the destination, beside its scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationInputs {
    /// The service that `product_details` shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<OwnedId>,
    /// The domain that `domain_details` shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_id: Option<OwnedId>,
    /// Where `sso:custom_redirect` goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sso_redirect_path: Option<RelativePath>,
}

impl DestinationInputs {
    /// The destination inputs among `params`, at the token endpoint as at the SSO endpoint.
    ///
    /// # Errors
    /// 400 `invalid_request`.
    pub fn parse(params: &Params) -> Result<Self, Failure> {
        let bad_path = Failure::bad_request("The sso_redirect_path is not a path within the client area.");
        Ok(Self {
            service_id: params.parsed(
                "service_id",
                OwnedId::parse,
                Failure::bad_request("The service_id is malformed."),
            )?,
            domain_id: params.parsed(
                "domain_id",
                OwnedId::parse,
                Failure::bad_request("The domain_id is malformed."),
            )?,
            sso_redirect_path: params.parsed("sso_redirect_path", RelativePath::parse, bad_path)?,
        })
    }
}

/// A destination input that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingInput {
    /// The destination's path contains `{service_id}`.
    ServiceId,
    /// The destination's path contains `{domain_id}`.
    DomainId,
    /// The destination is `sso:custom_redirect`.
    RedirectPath,
}

impl MissingInput {
    /// What is missing, in words.
    pub const fn message(self) -> &'static str {
        match self {
            Self::ServiceId => "The destination needs a service_id.",
            Self::DomainId => "The destination needs a domain_id.",
            Self::RedirectPath => "The destination needs an sso_redirect_path.",
        }
    }
}
