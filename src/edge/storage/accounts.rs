//! Accounts: the objects of users store them, and KV stores which users claim a service.

use super::calls::Patched;
use super::credentials;
use super::sessions::without_ended;
use crate::admin::UserExport;
use crate::edge::runtime::{Fault, RequestContext};
use crate::id::{OwnedId, UserId};
use crate::store::{self, ServiceClaims};
use crate::user::{AccountChange, AccountInput, Saved};
use futures_util::future::try_join_all;
use std::collections::BTreeSet;

/// Creates or replaces an account. Writes claims to KV before services are assigned. The caller removes the claims on
/// dropped services.
pub(crate) async fn put(
    context: &RequestContext,
    user: &UserId,
    account: AccountInput,
    end_sessions: bool,
) -> Result<Saved, Fault> {
    add_claims(context, user, &account.services).await?;
    context.user(user).put_account(account, end_sessions).await
}

/// Changes an account. Writes claims to KV before services are assigned, and removes them after services are
/// unassigned.
pub(crate) async fn patch(
    context: &RequestContext,
    user: &UserId,
    change: AccountChange,
    end_sessions: bool,
) -> Result<Patched, Fault> {
    let services = change.claimed();
    // A missing account claims nothing.
    if !services.is_empty() && context.user(user).account().await?.is_none() {
        return Ok(Patched::Missing);
    }
    add_claims(context, user, &services).await?;
    let patched = context.user(user).patch_account(change, end_sessions).await?;
    if let Patched::Saved(saved) = &patched {
        remove_claims(context, user, &saved.dropped).await?;
    }
    Ok(patched)
}

/// Deletes an account, then its claims and its bound credential sets in KV. Returns whether there was anything to
/// delete.
pub(crate) async fn delete(context: &RequestContext, user: &UserId, erase: bool) -> Result<bool, Fault> {
    if erase {
        delete_records(context, user).await?;
    }
    let Some(deleted) = context.user(user).delete_account(erase).await? else { return Ok(false) };
    remove_claims(context, user, &deleted.services).await?;
    credentials::delete_all(context, &deleted.credentials).await?;
    Ok(true)
}

/// Deletes from KV the token records and the bound credential sets of `user`, and the claims on services. This happens
/// before the object erases its rows, so that a repeated request completes a failed one.
async fn delete_records(context: &RequestContext, user: &UserId) -> Result<(), Fault> {
    let Some(UserExport { records, sets, kept, .. }) = export(context, user).await? else { return Ok(()) };
    let kv = context.kv();
    if let Some(account) = kept.account {
        remove_claims(context, user, &account.services).await?;
    }
    for record in records {
        kv.delete(&store::token_key(&record.jti)).await?;
    }
    for set in sets {
        credentials::record_revocation(context, &set.client_id).await?;
        credentials::delete(context, &set.client_id, set.number()).await?;
    }
    Ok(())
}

/// Everything that is stored about `user`: the rows of the object, and the KV records of the ids in these rows.
pub(crate) async fn export(context: &RequestContext, user: &UserId) -> Result<Option<UserExport>, Fault> {
    let Some(mut kept) = context.user(user).export().await? else { return Ok(None) };
    let kv = context.kv();
    kept.sessions = without_ended(kept.sessions, context).await?;
    let keys = kept.tokens.iter().map(|(jti, _)| store::token_key(jti)).collect();
    let records = kv.get_each(keys).await?.into_iter().flatten().collect();
    let ids: Vec<_> = kept.credentials.iter().map(|set| &set.client_id).collect();
    let sets = kv.applications(&ids).await?.into_iter().filter_map(|application| application.set);
    // An import can bind the id of a revoked set to another user.
    let sets = sets.filter(|set| set.user_id.as_ref() == Some(user)).collect();
    Ok(Some(UserExport { user: user.clone(), records, sets, kept }))
}

/// The user who owns a service. KV lists the candidates; the account of each decides.
pub(crate) async fn owner_of(context: &RequestContext, service: &OwnedId) -> Result<Option<UserId>, Fault> {
    let claims: Option<ServiceClaims> = context.kv().get(&store::service_key(service)).await?;
    for user in claims.unwrap_or_default().0 {
        let account = context.user(&user).account().await?;
        if account.is_some_and(|account| account.owns(Some(service), None)) {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

async fn add_claims(context: &RequestContext, user: &UserId, services: &BTreeSet<OwnedId>) -> Result<(), Fault> {
    change_claims(context, services, |claims| claims.with(user)).await
}

pub(crate) async fn remove_claims(
    context: &RequestContext,
    user: &UserId,
    services: &BTreeSet<OwnedId>,
) -> Result<(), Fault> {
    change_claims(context, services, |claims| claims.without(user)).await
}

/// Applies `change` to the claims on each of these services. `None` leaves them unchanged.
async fn change_claims(
    context: &RequestContext,
    services: &BTreeSet<OwnedId>,
    change: impl Fn(ServiceClaims) -> Option<ServiceClaims>,
) -> Result<(), Fault> {
    let kv = &context.kv();
    let keys: Vec<_> = services.iter().map(store::service_key).collect();
    let claims = kv.get_each::<ServiceClaims>(keys.clone()).await?.into_iter().map(Option::unwrap_or_default);
    let changed = keys.into_iter().zip(claims).filter_map(|(key, claims)| Some((key, change(claims)?)));
    let writes = changed.map(|(key, claims)| async move {
        if claims.0.is_empty() { kv.delete(&key).await } else { kv.put(&key, &claims, None).await }
    });
    try_join_all(writes).await.map(drop)
}
