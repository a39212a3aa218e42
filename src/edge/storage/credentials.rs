//! Making, changing and revoking credential sets, in an order that leaves a failure on the safe side.

use super::Placement;
use super::kv::Application;
use crate::credential::{CredentialInput, CredentialSet};
use crate::edge::runtime::platform::random;
use crate::edge::runtime::{Error, Fault, RequestContext};
use crate::http::Failure;
use crate::id::ClientId;
use crate::secret::Secret;
use crate::store;
use crate::time::Timestamp;
use crate::user::{Actor, BoundCredential, CredentialState, SessionEnd};

/// How often another id is drawn when its number is taken.
const DRAWS_MAX: usize = 5;

/// Makes a credential set with a new id and secret. Its number is written first, then its state at the object of its user:
/// without the set, neither means anything.
pub(crate) async fn create(context: &RequestContext, input: CredentialInput) -> Result<(CredentialSet, Secret), Error> {
    let (id, secret) = (ClientId::from_random(random()?), Secret::from_random(random()?));
    let set = input.into_set(id, &secret, context.now).map_err(Failure::bad_request)?;
    let set = with_free_number(context, set).await?;
    let kv = context.kv()?;
    kv.put(&store::credential_number_key(set.number()), &set.client_id, None).await?;
    tell_object(context, &set, state_of(&set), None).await?;
    kv.put_credential(&set).await?;
    Ok((set, secret))
}

/// The set under an id whose number no other set has: its own, or another that is drawn.
async fn with_free_number(context: &RequestContext, mut set: CredentialSet) -> Result<CredentialSet, Fault> {
    let kv = context.kv()?;
    for _ in 0..DRAWS_MAX {
        if kv.get::<ClientId>(&store::credential_number_key(set.number())).await?.is_none() {
            return Ok(set);
        }
        set.client_id = ClientId::from_random(random()?);
    }
    Err(Fault::Internal("credential id", "every number drawn is taken".to_owned()))
}

/// The set of a number.
pub(crate) async fn by_number(context: &RequestContext, number: u32) -> Result<Option<CredentialSet>, Fault> {
    let kv = context.kv()?;
    match kv.get::<ClientId>(&store::credential_number_key(number)).await? {
        Some(id) => kv.credential(&id).await,
        None => Ok(None),
    }
}

/// Writes a changed set. `enables` says whether it was asked to be on, as [`write()`] has it. False if the set is gone, because it
/// was revoked meanwhile, or because KV was stale and did not know yet that it was: then nothing of it is left.
pub(crate) async fn save(context: &RequestContext, set: &CredentialSet, enables: bool) -> Result<bool, Fault> {
    let kv = context.kv()?;
    write(context, set, enables, kv.put_credential(set)).await?;
    if !is_revoked(context, &set.client_id, set.created_at).await? {
        return Ok(true);
    }
    tell_object(context, set, CredentialState::Revoked, None).await?;
    forget(context, &set.client_id, set.number()).await?;
    Ok(false)
}

/// Whether the credential set or the API credential `id`, created at that time, was revoked within [`store::REVOCATION_TTL`]. Who
/// changes one asks this after the change is written: a revocation notes itself before it removes anything, so one of the two
/// sees the other.
pub(crate) async fn is_revoked(context: &RequestContext, id: &ClientId, created_at: Timestamp) -> Result<bool, Fault> {
    let revoked_at: Option<Timestamp> = context.kv()?.get(&store::revocation_key(id)).await?;
    // One that was made anew since then, by an import, is another.
    Ok(revoked_at.is_some_and(|revoked_at| created_at < revoked_at))
}

/// Notes that a credential set or an API credential is revoked now.
pub(crate) async fn note_revocation(context: &RequestContext, id: &ClientId) -> Result<(), Fault> {
    context.kv()?.put(&store::revocation_key(id), &context.now, Some(store::REVOCATION_TTL)).await
}

/// Runs `writing`, which writes a set to KV. The object of its user is informed of a set that is off before that, and of one
/// that is to be on after it: whatever fails in between, the set stays off, and asking again completes the change. A set is
/// switched on only if that was asked for (`enables`): KV may be stale and not know yet that it was revoked. Returns whether
/// the object changed.
pub(crate) async fn write(
    context: &RequestContext,
    set: &CredentialSet,
    enables: bool,
    writing: impl Future<Output = Result<(), Fault>>,
) -> Result<bool, Fault> {
    let is_off = set.disabled && tell_object(context, set, CredentialState::Disabled, None).await?;
    writing.await?;
    let is_on = enables && !set.disabled && tell_object(context, set, CredentialState::Enabled, None).await?;
    Ok(is_off || is_on)
}

/// How a set is revoked.
#[derive(Clone, Copy)]
pub(crate) struct Revocation {
    /// Whether the sessions that it opened end too.
    pub(crate) ends_sessions: bool,
    /// Who does it, if it is no administrator.
    pub(crate) by: Option<Actor>,
}

/// Revokes a set, and ends the sessions that it opened if that is asked for. It is noted first, so that no change of the set brings
/// it back. Then the object hears of it: from then on no token of the set is redeemed, whatever KV still says.
pub(crate) async fn revoke(context: &RequestContext, set: &CredentialSet, revocation: Revocation) -> Result<(), Fault> {
    note_revocation(context, &set.client_id).await?;
    tell_object(context, set, CredentialState::Revoked, Some(revocation)).await?;
    if revocation.ends_sessions && set.binding.user().is_none() {
        end_sessions_of_any_user(context, &set.client_id, true).await?;
    }
    forget(context, &set.client_id, set.number()).await
}

/// Removes what KV holds of sets that their user's object refuses already. What a failure leaves behind is refused too.
pub(crate) async fn forget_all(context: &RequestContext, ids: &[ClientId]) -> Result<(), Fault> {
    let ids: Vec<_> = ids.iter().collect();
    for Application { id, set, .. } in context.kv()?.applications(&ids).await? {
        let number = set.map_or(id.number(), |set| set.number());
        note_revocation(context, &id).await?;
        forget(context, &id, number).await?;
    }
    Ok(())
}

/// Removes what KV holds of a set.
pub(crate) async fn forget(context: &RequestContext, id: &ClientId, number: u32) -> Result<(), Fault> {
    let kv = context.kv()?;
    kv.delete(&store::credential_key(id)).await?;
    kv.delete(&store::credential_number_key(number)).await
}

/// Ends the sessions that a set opened: at the object of its user at once, or by KV if it may sign in any user.
pub(crate) async fn end_sessions(context: &RequestContext, set: &CredentialSet) -> Result<(), Fault> {
    let Some(user) = set.binding.user() else {
        return end_sessions_of_any_user(context, &set.client_id, set.disabled).await;
    };
    let user = context.user(user, Placement::AsConfigured);
    user.end_sessions(Some(set.client_id.clone()), SessionEnd::Application).await.map(drop)
}

/// Ends the sessions that a delegated set or an API credential opened until now, by a record in KV. If it is off (`is_off`),
/// so do the sessions that it still opens where KV is stale.
pub(crate) async fn end_sessions_of_any_user(
    context: &RequestContext,
    id: &ClientId,
    is_off: bool,
) -> Result<(), Fault> {
    let not_before = context.now.plus(if is_off { store::KV_STALE_MAX } else { 0 });
    context.kv()?.put(&store::not_before_key(id), &not_before, Some(store::NOT_BEFORE_TTL)).await
}

const fn state_of(set: &CredentialSet) -> CredentialState {
    if set.disabled { CredentialState::Disabled } else { CredentialState::Enabled }
}

/// Reports the state of a bound set, and how it was revoked, to the object of its user. Returns whether that changed anything.
async fn tell_object(
    context: &RequestContext,
    set: &CredentialSet,
    state: CredentialState,
    revocation: Option<Revocation>,
) -> Result<bool, Fault> {
    let Some(user) = set.binding.user() else { return Ok(false) };
    let set = BoundCredential { client_id: set.client_id.clone(), state };
    let end_sessions = revocation.is_some_and(|revocation| revocation.ends_sessions);
    let by = revocation.and_then(|revocation| revocation.by);
    context.user(user, Placement::AsConfigured).set_credential(set, end_sessions, by).await
}
