//! Creates, changes and revokes credential sets. The writes are ordered so that a failure between two of them never
//! enables a set.

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

/// How many ids are tried until one has a free number.
const ATTEMPTS_MAX: usize = 5;

/// Creates a credential set with a new id and secret. Writes the number first, then the state in the user's object,
/// then the set: without the set, the number and the state have no effect.
pub(crate) async fn create(context: &RequestContext, input: CredentialInput) -> Result<(CredentialSet, Secret), Error> {
    let (id, secret) = (ClientId::from_random(random()?), Secret::from_random(random()?));
    let set = input.into_set(id, &secret, context.now).map_err(Failure::bad_request)?;
    let set = with_free_number(context, set).await?;
    let kv = context.kv();
    kv.put(&store::credential_number_key(set.number()), &set.client_id, None).await?;
    update_object(context, &set, state_of(&set), None).await?;
    kv.put_credential(&set).await?;
    Ok((set, secret))
}

/// `set`, with a new id if another set has its number.
async fn with_free_number(context: &RequestContext, mut set: CredentialSet) -> Result<CredentialSet, Fault> {
    let kv = context.kv();
    for _ in 0..ATTEMPTS_MAX {
        if kv.get::<ClientId>(&store::credential_number_key(set.number())).await?.is_none() {
            return Ok(set);
        }
        set.client_id = ClientId::from_random(random()?);
    }
    Err(Fault::Internal("credential id", "every number drawn is taken".to_owned()))
}

pub(crate) async fn by_number(context: &RequestContext, number: u32) -> Result<Option<CredentialSet>, Fault> {
    let kv = context.kv();
    match kv.get::<ClientId>(&store::credential_number_key(number)).await? {
        Some(id) => kv.credential(&id).await,
        None => Ok(None),
    }
}

/// Writes a changed set. `enables` is that of [`write()`]. Returns false if the set was revoked in the meantime, or
/// earlier if KV was stale. The set is then deleted again.
pub(crate) async fn save(context: &RequestContext, set: &CredentialSet, enables: bool) -> Result<bool, Fault> {
    let kv = context.kv();
    write(context, set, enables, kv.put_credential(set)).await?;
    if !is_revoked(context, &set.client_id, set.created_at).await? {
        return Ok(true);
    }
    update_object(context, set, CredentialState::Revoked, None).await?;
    delete(context, &set.client_id, set.number()).await?;
    Ok(false)
}

/// Whether the credential set or the API credential `id`, created at `created_at`, was revoked within
/// [`store::REVOCATION_TTL`]. Check this after writing a change. A revocation is recorded before the deletion, so that
/// a concurrent change either sees the record or is deleted.
pub(crate) async fn is_revoked(context: &RequestContext, id: &ClientId, created_at: Timestamp) -> Result<bool, Fault> {
    let revoked_at: Option<Timestamp> = context.kv().get(&store::revocation_key(id)).await?;
    // An import can create a set with the id of a revoked one.
    Ok(revoked_at.is_some_and(|revoked_at| created_at < revoked_at))
}

/// Records in KV that a credential set or an API credential is revoked. Costs one KV write.
pub(crate) async fn record_revocation(context: &RequestContext, id: &ClientId) -> Result<(), Fault> {
    context.kv().put(&store::revocation_key(id), &context.now, Some(store::REVOCATION_TTL)).await
}

/// Runs `writing`, which writes a set to KV. Disables a set in the user's object before, and enables it after: if one
/// write fails, the set stays disabled, and a repeated request completes the change. A set is enabled only if the
/// request does so (`enables`), because a stale KV may not show a revocation yet. Returns whether the object changed.
pub(crate) async fn write(
    context: &RequestContext,
    set: &CredentialSet,
    enables: bool,
    writing: impl Future<Output = Result<(), Fault>>,
) -> Result<bool, Fault> {
    let was_disabled = set.disabled && update_object(context, set, CredentialState::Disabled, None).await?;
    writing.await?;
    let was_enabled = enables && !set.disabled && update_object(context, set, CredentialState::Enabled, None).await?;
    Ok(was_disabled || was_enabled)
}

#[derive(Clone, Copy)]
pub(crate) struct Revocation {
    /// Whether the sessions that the set opened end too.
    pub(crate) ends_sessions: bool,
    /// Who revokes the set; `None` for an administrator.
    pub(crate) by: Option<Actor>,
}

/// Revokes a set:
/// 1. record the revocation, so that no concurrent change restores the set,
/// 2. revoke the set in the user's object, which from then on refuses its tokens, and ends its sessions if requested,
/// 3. end the sessions of a delegated set by KV, if requested,
/// 4. delete the set from KV.
pub(crate) async fn revoke(context: &RequestContext, set: &CredentialSet, revocation: Revocation) -> Result<(), Fault> {
    // 1.
    record_revocation(context, &set.client_id).await?;
    // 2.
    update_object(context, set, CredentialState::Revoked, Some(revocation)).await?;
    // 3.
    if revocation.ends_sessions && set.delegated {
        end_sessions_of_any_user(context, &set.client_id, true).await?;
    }
    // 4.
    delete(context, &set.client_id, set.number()).await
}

/// Deletes sets from KV after the user's object has revoked them. After a failure, sets may remain in KV, but their
/// tokens are refused.
pub(crate) async fn delete_all(context: &RequestContext, ids: &[ClientId]) -> Result<(), Fault> {
    let ids: Vec<_> = ids.iter().collect();
    for Application { id, set, .. } in context.kv().applications(&ids).await? {
        let number = set.map_or(id.number(), |set| set.number());
        record_revocation(context, &id).await?;
        delete(context, &id, number).await?;
    }
    Ok(())
}

/// Deletes a set and its number from KV.
pub(crate) async fn delete(context: &RequestContext, id: &ClientId, number: u32) -> Result<(), Fault> {
    let kv = context.kv();
    kv.delete(&store::credential_key(id)).await?;
    kv.delete(&store::credential_number_key(number)).await
}

/// Ends the sessions of a set: in the user's object, or by KV if the set may sign in any user.
pub(crate) async fn end_sessions(context: &RequestContext, set: &CredentialSet) -> Result<(), Fault> {
    let Some(user) = &set.user_id else {
        return end_sessions_of_any_user(context, &set.client_id, set.disabled).await;
    };
    let user = context.user(user);
    user.end_sessions(Some(set.client_id.clone()), SessionEnd::Application).await.map(drop)
}

/// Ends the sessions that a delegated set or an API credential has opened until now. Costs one KV write. With `is_off`,
/// this includes sessions that it opens during the next [`store::KV_STALE_MAX`] seconds at locations with a stale KV.
pub(crate) async fn end_sessions_of_any_user(
    context: &RequestContext,
    id: &ClientId,
    is_off: bool,
) -> Result<(), Fault> {
    let not_before = context.now.plus(if is_off { store::KV_STALE_MAX } else { 0 });
    context.kv().put(&store::not_before_key(id), &not_before, Some(store::NOT_BEFORE_TTL)).await
}

const fn state_of(set: &CredentialSet) -> CredentialState {
    if set.disabled { CredentialState::Disabled } else { CredentialState::Enabled }
}

/// Stores the state of a bound set in the object of its user. Returns whether the stored state changed.
async fn update_object(
    context: &RequestContext,
    set: &CredentialSet,
    state: CredentialState,
    revocation: Option<Revocation>,
) -> Result<bool, Fault> {
    let Some(user) = &set.user_id else { return Ok(false) };
    let set = BoundCredential { client_id: set.client_id.clone(), state };
    let end_sessions = revocation.is_some_and(|revocation| revocation.ends_sessions);
    let by = revocation.and_then(|revocation| revocation.by);
    context.user(user).set_credential(set, end_sessions, by).await
}
