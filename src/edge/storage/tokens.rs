//! Looking up tokens by their id: the record in KV, and the final state at the user's object. Without a record, only
//! the caller knows which user's object to ask.

use crate::edge::runtime::{Error, RequestContext};
use crate::http::{ErrorCode, Failure};
use crate::id::{TokenId, UserId};
use crate::settings::TokenRecords;
use crate::token::KnownToken;

const MISSING_USER_ID: Failure = Failure::bad_request(
    "The parameter user_id is missing. Signet stores no token records (TOKEN_RECORDS), so it must know the user.",
);
const NO_USED_TOKEN: Failure = Failure::of(
    404,
    ErrorCode::NotFound,
    "No such token was used within a day. Signet stores no records of unused tokens (TOKEN_RECORDS). \
     The application can revoke an unused token with POST /oauth/revoke.",
);

/// The token `jti`, if it is known and belongs to `user`. Without `user`, only its record names the user. Costs one KV
/// read, and one object request if the user is known.
///
/// # Errors
/// 400 if no user is known although no records are stored.
pub(crate) async fn find(
    jti: TokenId,
    user: Option<UserId>,
    context: &RequestContext,
) -> Result<Option<KnownToken>, Error> {
    let record = context.kv().token_record(&jti).await?;
    let record = record.filter(|record| user.as_ref().is_none_or(|user| *user == record.user_id));
    let Some(user) = record.as_ref().map(|record| record.user_id.clone()).or(user) else {
        return match context.settings.token_records {
            TokenRecords::Kv => Ok(None),
            TokenRecords::Off => Err(MISSING_USER_ID.into()),
        };
    };
    let fate = context.user(&user).token_fate(jti.clone()).await?;
    Ok(match (record, fate) {
        (Some(record), fate) => Some(KnownToken::Recorded(record, fate)),
        (None, Some(fate)) => Some(KnownToken::Settled(user, jti, fate)),
        (None, None) => None,
    })
}

/// The answer about an unknown token: `unrecorded` if records are stored.
pub(crate) fn no_token(unrecorded: Failure, context: &RequestContext) -> Failure {
    match context.settings.token_records {
        TokenRecords::Kv => unrecorded,
        TokenRecords::Off => NO_USED_TOKEN,
    }
}
