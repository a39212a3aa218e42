//! Sessions, and whether they still count. A delegated set or an API credential opens sessions of any user. KV holds the moment
//! up to which those sessions are ended, and each session is compared with it when it is used or listed.

use super::Placement;
use crate::edge::runtime::{Fault, RequestContext};
use crate::store;
use crate::time::Timestamp;
use crate::user::{Session, SessionCookie, SessionEnd, applications_of};

/// The session cookie that the browser presents, its signature and absolute limit checked.
pub(crate) fn presented(context: &RequestContext) -> Option<SessionCookie> {
    SessionCookie::open(&context.request, &context.settings.keys, context.now)
}

/// The cookie and the live session that the browser presents: one object request, none without a cookie.
pub(crate) async fn live_session(context: &RequestContext) -> Result<Option<(SessionCookie, Session)>, Fault> {
    let Some(cookie) = presented(context) else { return Ok(None) };
    context.audit.set_user(&cookie.sub);
    let session = session_of(&cookie, Usage::Used, context).await?;
    Ok(session.map(|session| (cookie, session)))
}

/// Whether a session was used since the last question, so that its idle limit moves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    Used,
    Unused,
}

/// The session of `cookie`, if it stands and is alive: one object request, and the KV read of [`stands`].
pub(crate) async fn session_of(
    cookie: &SessionCookie,
    usage: Usage,
    context: &RequestContext,
) -> Result<Option<Session>, Fault> {
    if !stands(cookie, context).await? {
        return Ok(None);
    }
    let user = context.user(&cookie.sub, Placement::NearCaller);
    match usage {
        Usage::Used => user.check_session(cookie.sid.clone()).await,
        Usage::Unused => user.peek_session(cookie.sid.clone()).await,
    }
}

/// Whether the session of `cookie` counts. It does not if the sessions of the application that opened it were ended since.
/// Then it is ended at the object too. This costs one KV read for a session that a delegated set or an API credential opened, and
/// nothing for others.
pub(crate) async fn stands(cookie: &SessionCookie, context: &RequestContext) -> Result<bool, Fault> {
    let Some(by) = &cookie.by else { return Ok(true) };
    if !by.is_ended_by(context.kv()?.get(&store::not_before_key(&by.client_id)).await?) {
        return Ok(true);
    }
    end(cookie, SessionEnd::Application, context).await?;
    Ok(false)
}

/// Ends the session of `cookie`, if it is not dead already: one object request.
pub(crate) async fn end(cookie: &SessionCookie, why: SessionEnd, context: &RequestContext) -> Result<(), Fault> {
    context.user(&cookie.sub, Placement::NearCaller).end_session(cookie.sid.clone(), why).await.map(drop)
}

/// Those of `sessions` that still count: not those whose application's sessions were ended.
pub(crate) async fn counting(sessions: Vec<Session>, context: &RequestContext) -> Result<Vec<Session>, Fault> {
    let ids = applications_of(&sessions);
    let keys = ids.iter().map(|id| store::not_before_key(id)).collect();
    let not_before: Vec<Option<Timestamp>> = context.kv()?.get_each(keys).await?;
    let counts = |session: &&Session| {
        let application = ids.iter().zip(&not_before).find(|(id, _)| **id == &session.client_id);
        !session.is_ended_by(application.and_then(|(_, not_before)| *not_before))
    };
    Ok(sessions.iter().filter(counts).cloned().collect())
}
