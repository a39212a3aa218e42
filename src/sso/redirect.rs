//! The redirect of a sign-in.

use super::SsoRequest;
use crate::destination::{ClientArea, DestinationInputs, Scope};
use crate::http::{ErrorCode, Failure};
use crate::token::Claims;

/// The address to which a sign-in redirects, from the token and the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// `None` for the home page of the client area.
    pub destination: Option<Scope>,
    pub inputs: DestinationInputs,
    /// An absolute address.
    pub location: String,
}

impl Redirect {
    /// Combines the parameters of `request` with the `claims` of its token.
    ///
    /// # Errors
    /// 400 for a destination that was not granted, a contradiction, or a missing input. The token is not used up.
    pub fn plan(request: &SsoRequest, claims: &Claims, client_area: &ClientArea) -> Result<Self, Failure> {
        let destination = match request.destination {
            Some(scope) if claims.scope.contains(scope) => Some(scope),
            Some(_) => {
                return Err(Failure::of(400, ErrorCode::InvalidScope, "The scope was not granted to this token."));
            }
            None => claims.scope.only_destination(),
        };
        let requested = &request.inputs;
        let inputs = DestinationInputs {
            service_id: agree(claims.service_id.as_ref(), requested.service_id.as_ref())?,
            domain_id: agree(claims.domain_id.as_ref(), requested.domain_id.as_ref())?,
            sso_redirect_path: agree(claims.sso_redirect_path.as_ref(), requested.sso_redirect_path.as_ref())?,
        };
        let located = client_area.locate(destination, &inputs);
        let location = located.map_err(|missing| Failure::bad_request(missing.message()))?;
        Ok(Self { destination, inputs, location })
    }
}

fn agree<T: Clone + PartialEq>(signed: Option<&T>, requested: Option<&T>) -> Result<Option<T>, Failure> {
    match (signed, requested) {
        (Some(signed), Some(requested)) if signed != requested => {
            Err(Failure::bad_request("The request contradicts what is signed into the token."))
        }
        (Some(value), _) | (None, Some(value)) => Ok(Some(value.clone())),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
