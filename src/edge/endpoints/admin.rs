//! `/admin/v1/…`.

use crate::admin::AdminRequest;
use crate::edge::runtime::{Error, RequestContext};
use crate::edge::storage::administration::perform;
use crate::http::Response;

/// Serves an authenticated administrator.
pub(crate) async fn serve(context: &RequestContext) -> Result<Response, Error> {
    let reply = perform(AdminRequest::parse(&context.request)?, context).await?;
    Ok(reply.into_response(&context.settings.issuer, context.now)?)
}
