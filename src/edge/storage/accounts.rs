//! Asking the objects of users about their accounts, and what KV knows of the claims on services.

use super::Placement;
use super::calls::{Patched, UserObject};
use super::credentials;
use super::kv::Kv;
use super::sessions::counting;
use crate::admin::UserExport;
use crate::edge::runtime::{Fault, RequestContext};
use crate::id::{OwnedId, UserId};
use crate::store::{self, ServiceClaims};
use crate::user::{Account, AccountChange, AccountInput, Saved};
use futures_util::future::try_join_all;
use std::collections::BTreeSet;

/// Creates or replaces an account. Writes claims to KV before services are assigned. The caller removes those of the services
/// that were dropped.
pub(crate) async fn put(
    context: &RequestContext,
    user: &UserId,
    account: AccountInput,
    end_sessions: bool,
) -> Result<Saved, Fault> {
    note_claims(context, user, &account.services).await?;
    object_of(context, user).put_account(account, end_sessions).await
}

/// Changes an account. Writes claims to KV before services are assigned, and removes them after services are unassigned.
pub(crate) async fn patch(
    context: &RequestContext,
    user: &UserId,
    change: AccountChange,
    end_sessions: bool,
) -> Result<Patched, Fault> {
    let services = change.claimed();
    // Nothing is noted of an account that is not there.
    if !services.is_empty() && account_of(context, user).await?.is_none() {
        return Ok(Patched::Missing);
    }
    note_claims(context, user, &services).await?;
    let patched = object_of(context, user).patch_account(change, end_sessions).await?;
    if let Patched::Saved(saved) = &patched {
        forget_claims(context, user, &saved.dropped).await?;
    }
    Ok(patched)
}

/// Deletes an account, and then what KV holds of its claims and of the sets that were bound to it. Returns whether there was
/// anything to delete.
pub(crate) async fn delete(context: &RequestContext, user: &UserId, erase: bool) -> Result<bool, Fault> {
    if erase {
        forget_records(context, user).await?;
    }
    let Some(deleted) = object_of(context, user).delete_account(erase).await? else { return Ok(false) };
    forget_claims(context, user, &deleted.services).await?;
    credentials::forget_all(context, &deleted.credentials).await?;
    Ok(true)
}

fn object_of(context: &RequestContext, user: &UserId) -> UserObject {
    context.user(user, Placement::AsConfigured)
}

/// Removes from KV the records of tokens and bound sets that the object knows, and the claims on its services. It comes before the
/// object forgets anything, so that asking again completes what failed half-way.
async fn forget_records(context: &RequestContext, user: &UserId) -> Result<(), Fault> {
    let Some(UserExport { records, sets, kept, .. }) = export(context, user).await? else { return Ok(()) };
    let kv = context.kv()?;
    if let Some(account) = kept.account {
        forget_claims(context, user, &account.services).await?;
    }
    for record in records {
        kv.delete(&store::token_key(&record.jti)).await?;
    }
    for set in sets {
        credentials::note_revocation(context, &set.client_id).await?;
        credentials::forget(context, &set.client_id, set.number()).await?;
    }
    Ok(())
}

/// Everything that is kept of `user`: what the object holds, and what KV knows of the ids in it.
pub(crate) async fn export(context: &RequestContext, user: &UserId) -> Result<Option<UserExport>, Fault> {
    let Some(mut kept) = object_of(context, user).export().await? else { return Ok(None) };
    let kv = context.kv()?;
    kept.sessions = counting(kept.sessions, context).await?;
    let keys = kept.tokens.iter().map(|(jti, _)| store::token_key(jti)).collect();
    let records = kv.get_each(keys).await?.into_iter().flatten().collect();
    let ids: Vec<_> = kept.credentials.iter().map(|set| &set.client_id).collect();
    let sets = kv.applications(&ids).await?.into_iter().filter_map(|application| application.set);
    // The id of a revoked set may be another user's by now.
    let sets = sets.filter(|set| set.binding.user() == Some(user)).collect();
    Ok(Some(UserExport { user: user.clone(), records, sets, kept }))
}

/// The account of `user`.
pub(crate) async fn account_of(context: &RequestContext, user: &UserId) -> Result<Option<Account>, Fault> {
    object_of(context, user).account().await
}

/// The user who owns a service: by KV's hint, and the object's word.
pub(crate) async fn owner_of(context: &RequestContext, service: &OwnedId) -> Result<Option<UserId>, Fault> {
    let claims: Option<ServiceClaims> = context.kv()?.get(&store::service_key(service)).await?;
    for user in claims.unwrap_or_default().0 {
        let account = account_of(context, &user).await?;
        if account.is_some_and(|account| account.owns(Some(service), None)) {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

/// Notes that `user` claims these services, where KV does not say so yet.
async fn note_claims(context: &RequestContext, user: &UserId, services: &BTreeSet<OwnedId>) -> Result<(), Fault> {
    change_claims(context, services, |claims| claims.with(user)).await
}

/// Forgets that `user` claimed these services.
pub(crate) async fn forget_claims(
    context: &RequestContext,
    user: &UserId,
    services: &BTreeSet<OwnedId>,
) -> Result<(), Fault> {
    change_claims(context, services, |claims| claims.without(user)).await
}

/// Writes what `change` makes of the claims on each of these services, where it makes anything.
async fn change_claims(
    context: &RequestContext,
    services: &BTreeSet<OwnedId>,
    change: impl Fn(ServiceClaims) -> Option<ServiceClaims>,
) -> Result<(), Fault> {
    let kv = &context.kv()?;
    let keys: Vec<_> = services.iter().map(store::service_key).collect();
    let claims = kv.get_each::<ServiceClaims>(keys.clone()).await?.into_iter().map(Option::unwrap_or_default);
    let changed = keys.into_iter().zip(claims).filter_map(|(key, claims)| Some((key, change(claims)?)));
    write_claims(kv, changed.collect()).await
}

/// Writes these claims, all at once. A service that nobody claims has none.
async fn write_claims(kv: &Kv, claims: Vec<(String, ServiceClaims)>) -> Result<(), Fault> {
    let writes = claims.into_iter().map(|(key, claims)| async move {
        if claims.0.is_empty() { kv.delete(&key).await } else { kv.put(&key, &claims, None).await }
    });
    try_join_all(writes).await.map(drop)
}
