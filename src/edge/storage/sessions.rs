//! Whether a session still counts. A delegated set or an API credential opens sessions of any user. KV holds the moment up to
//! which those sessions are ended, and each session is compared with it when it is used or listed.

use super::fault::Fault;
use super::object::unexpected;
use super::site::{Placement, Site};
use crate::http::Request;
use crate::store;
use crate::time::Timestamp;
use crate::user::{Command, Reply, Session, SessionCookie, SessionEnd, applications_of};

/// Whether the session of `cookie` counts. It does not if the sessions of the application that opened it were ended since.
/// Then it is ended at the object too. This costs one KV read for a session that a delegated set or an API credential opened, and
/// nothing for others.
pub(super) async fn stands(cookie: &SessionCookie, request: &Request, site: &Site) -> Result<bool, Fault> {
    let Some(by) = &cookie.by else { return Ok(true) };
    if !by.is_ended_by(site.kv()?.get(&store::not_before_key(&by.client_id)).await?) {
        return Ok(true);
    }
    end(cookie, SessionEnd::Application, request, site).await?;
    Ok(false)
}

/// Ends the session of `cookie`, if it is not dead already: one object request.
pub(super) async fn end(cookie: &SessionCookie, why: SessionEnd, request: &Request, site: &Site) -> Result<(), Fault> {
    let command = Command::EndSession(cookie.sid.clone(), why);
    match site.ask(&cookie.sub, Placement::NearCaller, request, command).await? {
        Reply::Done | Reply::Missing => Ok(()),
        reply => Err(unexpected(&reply)),
    }
}

/// Those of `sessions` that still count: not those whose application's sessions were ended.
pub(super) async fn counting(sessions: Vec<Session>, site: &Site) -> Result<Vec<Session>, Fault> {
    let ids = applications_of(&sessions);
    let keys = ids.iter().map(|id| store::not_before_key(id)).collect();
    let not_before: Vec<Option<Timestamp>> = site.kv()?.get_each(keys).await?;
    let counts = |session: &&Session| {
        let application = ids.iter().zip(&not_before).find(|(id, _)| **id == &session.client_id);
        !session.is_ended_by(application.and_then(|(_, not_before)| *not_before))
    };
    Ok(sessions.iter().filter(counts).cloned().collect())
}
