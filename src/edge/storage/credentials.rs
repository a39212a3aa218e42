//! Making, changing and revoking credential sets, in an order that leaves a failure on the safe side.

use super::fault::{Fault, Trouble};
use super::kv::Application;
use super::object::unexpected;
use super::platform::random;
use super::site::{Placement, Site};
use crate::credential::{CredentialInput, CredentialSet};
use crate::http::{Failure, Request};
use crate::id::ClientId;
use crate::secret::Secret;
use crate::store;
use crate::time::Timestamp;
use crate::user::{Actor, BoundCredential, Command, CredentialState, Reply, SessionEnd};

/// How often another id is drawn when its number is taken.
const DRAWS_MAX: usize = 5;

/// Makes a credential set with a new id and secret. Its number is written first, then its state at the object of its user:
/// without the set, neither means anything.
pub(super) async fn create(
    site: &Site,
    request: &Request,
    input: CredentialInput,
) -> Result<(CredentialSet, Secret), Trouble> {
    let (id, secret) = (ClientId::from_random(random()?), Secret::from_random(random()?));
    let set = input.into_set(id, &secret, site.now).map_err(Failure::bad_request)?;
    let set = with_free_number(site, set).await?;
    let kv = site.kv()?;
    kv.put(&store::credential_number_key(set.number()), &set.client_id, None).await?;
    tell_object(site, request, &set, state_of(&set), None).await?;
    kv.put_credential(&set).await?;
    Ok((set, secret))
}

/// The set under an id whose number no other set has: its own, or another that is drawn.
async fn with_free_number(site: &Site, mut set: CredentialSet) -> Result<CredentialSet, Fault> {
    let kv = site.kv()?;
    for _ in 0..DRAWS_MAX {
        if kv.get::<ClientId>(&store::credential_number_key(set.number())).await?.is_none() {
            return Ok(set);
        }
        set.client_id = ClientId::from_random(random()?);
    }
    Err(Fault::Internal("credential id", "every number drawn is taken".to_owned()))
}

/// The set of a number.
pub(super) async fn by_number(site: &Site, number: u32) -> Result<Option<CredentialSet>, Fault> {
    let kv = site.kv()?;
    match kv.get::<ClientId>(&store::credential_number_key(number)).await? {
        Some(id) => kv.credential(&id).await,
        None => Ok(None),
    }
}

/// Writes a changed set. `enables` says whether it was asked to be on, as [`write()`] has it. False if the set is gone, because it
/// was revoked meanwhile, or because KV was stale and did not know yet that it was: then nothing of it is left.
pub(super) async fn save(site: &Site, request: &Request, set: &CredentialSet, enables: bool) -> Result<bool, Fault> {
    let kv = site.kv()?;
    write(site, request, set, enables, kv.put_credential(set)).await?;
    if !is_revoked(site, &set.client_id, set.created_at).await? {
        return Ok(true);
    }
    tell_object(site, request, set, CredentialState::Revoked, None).await?;
    forget(site, &set.client_id, set.number()).await?;
    Ok(false)
}

/// Whether the credential set or the API credential `id`, created at that time, was revoked within [`store::REVOCATION_TTL`]. Who
/// changes one asks this after the change is written: a revocation notes itself before it removes anything, so one of the two
/// sees the other.
pub(super) async fn is_revoked(site: &Site, id: &ClientId, created_at: Timestamp) -> Result<bool, Fault> {
    let revoked_at: Option<Timestamp> = site.kv()?.get(&store::revocation_key(id)).await?;
    // One that was made anew since then, by an import, is another.
    Ok(revoked_at.is_some_and(|revoked_at| created_at < revoked_at))
}

/// Notes that a credential set or an API credential is revoked now.
pub(super) async fn note_revocation(site: &Site, id: &ClientId) -> Result<(), Fault> {
    site.kv()?.put(&store::revocation_key(id), &site.now, Some(store::REVOCATION_TTL)).await
}

/// Runs `writing`, which writes a set to KV. The object of its user is informed of a set that is off before that, and of one
/// that is to be on after it: whatever fails in between, the set stays off, and asking again completes the change. A set is
/// switched on only if that was asked for (`enables`): KV may be stale and not know yet that it was revoked. Returns whether
/// the object changed.
pub(super) async fn write(
    site: &Site,
    request: &Request,
    set: &CredentialSet,
    enables: bool,
    writing: impl Future<Output = Result<(), Fault>>,
) -> Result<bool, Fault> {
    let is_off = set.disabled && tell_object(site, request, set, CredentialState::Disabled, None).await?;
    writing.await?;
    let is_on = enables && !set.disabled && tell_object(site, request, set, CredentialState::Enabled, None).await?;
    Ok(is_off || is_on)
}

/// How a set is revoked.
#[derive(Clone, Copy)]
pub(super) struct Revocation {
    /// Whether the sessions that it opened end too.
    pub(super) ends_sessions: bool,
    /// Who does it, if it is no administrator.
    pub(super) by: Option<Actor>,
}

/// Revokes a set, and ends the sessions that it opened if that is asked for. It is noted first, so that no change of the set brings
/// it back. Then the object hears of it: from then on no token of the set is redeemed, whatever KV still says.
pub(super) async fn revoke(
    site: &Site,
    request: &Request,
    set: &CredentialSet,
    revocation: Revocation,
) -> Result<(), Fault> {
    note_revocation(site, &set.client_id).await?;
    tell_object(site, request, set, CredentialState::Revoked, Some(revocation)).await?;
    if revocation.ends_sessions && set.binding.user().is_none() {
        end_sessions_of_any_user(site, &set.client_id, true).await?;
    }
    forget(site, &set.client_id, set.number()).await
}

/// Removes what KV holds of sets that their user's object refuses already. What a failure leaves behind is refused too.
pub(super) async fn forget_all(site: &Site, ids: &[ClientId]) -> Result<(), Fault> {
    let ids: Vec<_> = ids.iter().collect();
    for Application { id, set, .. } in site.kv()?.applications(&ids).await? {
        let number = set.map_or(id.number(), |set| set.number());
        note_revocation(site, &id).await?;
        forget(site, &id, number).await?;
    }
    Ok(())
}

/// Removes what KV holds of a set.
pub(super) async fn forget(site: &Site, id: &ClientId, number: u32) -> Result<(), Fault> {
    let kv = site.kv()?;
    kv.delete(&store::credential_key(id)).await?;
    kv.delete(&store::credential_number_key(number)).await
}

/// Ends the sessions that a set opened: at the object of its user at once, or by KV if it may sign in any user.
pub(super) async fn end_sessions(site: &Site, request: &Request, set: &CredentialSet) -> Result<(), Fault> {
    let Some(user) = set.binding.user() else {
        return end_sessions_of_any_user(site, &set.client_id, set.disabled).await;
    };
    let command = Command::EndSessions { client_id: Some(set.client_id.clone()), why: SessionEnd::Application };
    match site.ask(user, Placement::AsConfigured, request, command).await? {
        Reply::Done | Reply::Missing => Ok(()),
        reply => Err(unexpected(&reply)),
    }
}

/// Ends the sessions that a delegated set or an API credential opened until now, by a record in KV. If it is off (`is_off`),
/// so do the sessions that it still opens where KV is stale.
pub(super) async fn end_sessions_of_any_user(site: &Site, id: &ClientId, is_off: bool) -> Result<(), Fault> {
    let not_before = site.now.plus(if is_off { store::KV_STALE_MAX } else { 0 });
    site.kv()?.put(&store::not_before_key(id), &not_before, Some(store::NOT_BEFORE_TTL)).await
}

const fn state_of(set: &CredentialSet) -> CredentialState {
    if set.disabled { CredentialState::Disabled } else { CredentialState::Enabled }
}

/// Reports the state of a bound set, and how it was revoked, to the object of its user. Returns whether that changed anything.
async fn tell_object(
    site: &Site,
    request: &Request,
    set: &CredentialSet,
    state: CredentialState,
    revocation: Option<Revocation>,
) -> Result<bool, Fault> {
    let Some(user) = set.binding.user() else { return Ok(false) };
    let set = BoundCredential { client_id: set.client_id.clone(), state };
    let end_sessions = revocation.is_some_and(|revocation| revocation.ends_sessions);
    let command = Command::SetCredential { set, end_sessions, by: revocation.and_then(|revocation| revocation.by) };
    match site.ask(user, Placement::AsConfigured, request, command).await? {
        Reply::Done => Ok(true),
        Reply::Unchanged => Ok(false),
        reply => Err(unexpected(&reply)),
    }
}
