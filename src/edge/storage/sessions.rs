//! The validity of sessions. A delegated credential set or an API credential can open sessions of any user. To end all
//! of them, an administrator writes a time to KV. Sessions that were opened at or before this time are ended: Signet
//! checks each session when it is used or listed.

use crate::edge::runtime::{Fault, RequestContext};
use crate::id::UserId;
use crate::session::SessionCache;
use crate::store;
use crate::time::Timestamp;
use crate::user::{Session, SessionCookie, SessionEnd, applications_of};
use std::cell::RefCell;

thread_local! {
    /// The latest checks of this isolate. It stays empty without the setting `SESSION_CACHE`.
    static CACHE: RefCell<SessionCache> = RefCell::default();
}

/// Removes the sessions of `user` from the memory of this isolate.
pub(super) fn forget(user: &UserId) {
    CACHE.with_borrow_mut(|cache| cache.forget(user));
}

/// The verified session cookie of the request.
pub(crate) fn session_cookie(context: &RequestContext) -> Option<SessionCookie> {
    SessionCookie::open(&context.request, &context.settings.keys, context.now)
}

/// The session cookie and its live session. Costs what [`session_of`] costs; nothing without a cookie.
pub(crate) async fn live_session(context: &RequestContext) -> Result<Option<(SessionCookie, Session)>, Fault> {
    let Some(cookie) = session_cookie(context) else { return Ok(None) };
    context.audit.set_user(&cookie.sub);
    let session = session_of(&cookie, Usage::Request, context).await?;
    Ok(session.map(|session| (cookie, session)))
}

/// What a session is checked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    /// A request. It restarts the idle limit. With the setting `SESSION_CACHE`, an earlier check may answer.
    Request,
    /// A WebSocket that the browser used since the last check. It restarts the idle limit.
    UsedSocket,
    /// A WebSocket that the browser did not use.
    UnusedSocket,
}

/// The session of `cookie`, if it is valid and live. Costs the KV read of [`is_valid`], and one object request unless
/// the memory of this isolate answers.
pub(crate) async fn session_of(
    cookie: &SessionCookie,
    usage: Usage,
    context: &RequestContext,
) -> Result<Option<Session>, Fault> {
    if !is_valid(cookie, context).await? {
        return Ok(None);
    }
    let mut check = None;
    if usage == Usage::Request && context.settings.session_cache > 0 {
        let remembered = CACHE.with_borrow(|cache| cache.get(cookie, context.settings.session_cache, context.now));
        if remembered.is_some() {
            return Ok(remembered);
        }
        check = Some(CACHE.with_borrow_mut(|cache| cache.start(cookie, context.now)));
    }
    let user = context.user_near_caller(&cookie.sub);
    let session = match usage {
        Usage::Request | Usage::UsedSocket => user.check_session(cookie.sid.clone()).await?,
        Usage::UnusedSocket => user.peek_session(cookie.sid.clone()).await?,
    };
    if let (Some(answer), Some(session)) = (check, &session) {
        // Never fails: only this check sets the answer.
        let _ = answer.set(session.clone());
    }
    Ok(session)
}

/// Whether the sessions of the application of `cookie` were not ended since the session was opened. If they were, ends
/// the session at the user's object too. Costs one KV read if a delegated set or an API credential opened the session;
/// otherwise nothing.
pub(crate) async fn is_valid(cookie: &SessionCookie, context: &RequestContext) -> Result<bool, Fault> {
    let Some(by) = &cookie.by else { return Ok(true) };
    if !by.is_ended_by(context.kv().get(&store::not_before_key(&by.client_id)).await?) {
        return Ok(true);
    }
    end(cookie, SessionEnd::Application, context).await?;
    Ok(false)
}

/// Ends the session of `cookie` if it is live. Costs one object request.
pub(crate) async fn end(cookie: &SessionCookie, why: SessionEnd, context: &RequestContext) -> Result<(), Fault> {
    context.user_near_caller(&cookie.sub).end_session(cookie.sid.clone(), why).await.map(drop)
}

/// `sessions` without those whose application's sessions were ended. Costs one KV read.
pub(crate) async fn without_ended(sessions: Vec<Session>, context: &RequestContext) -> Result<Vec<Session>, Fault> {
    let ids = applications_of(&sessions);
    let keys = ids.iter().map(|id| store::not_before_key(id)).collect();
    let not_before: Vec<Option<Timestamp>> = context.kv().get_each(keys).await?;
    let is_valid = |session: &&Session| {
        let application = ids.iter().zip(&not_before).find(|(id, _)| **id == &session.client_id);
        !session.is_ended_by(application.and_then(|(_, not_before)| *not_before))
    };
    Ok(sessions.iter().filter(is_valid).cloned().collect())
}
