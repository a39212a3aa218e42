//! Asking the objects of users about their accounts, and what KV knows of the owners of services.

use super::fault::{Fault, Trouble};
use super::kv::Kv;
use super::object::unexpected;
use super::site::{Placement, Site};
use crate::http::Request;
use crate::id::{OwnedId, UserId};
use crate::store;
use crate::user::{Account, AccountChange, AccountInput, Command, Reply, Saved};
use std::collections::BTreeSet;

/// Asks the object of `user` to do what `command` says. Before services are an account's, KV knows their owner; after they
/// are not, it forgets.
pub(super) async fn ask(site: &Site, request: &Request, user: &UserId, command: Command) -> Result<Reply, Trouble> {
    if let Command::PatchAccount(AccountChange { services: Some(services), .. }) = &command {
        // Nothing is noted of an account that is not there.
        if account_of(site, request, user).await?.is_none() {
            return Ok(Reply::Missing);
        }
        note_owner(site, user, services).await?;
    }
    if let Command::PutAccount(account) = &command {
        note_owner(site, user, &account.services).await?;
    }
    let reply = site.ask(user, Placement::AsConfigured, request, command).await?;
    if let Reply::Saved(Saved { dropped, .. }) | Reply::Deleted(dropped) = &reply {
        forget_owner(site, user, dropped).await?;
    }
    Ok(reply)
}

/// Creates or replaces an account as [`ask`] does, but leaves it to the caller to forget the services dropped.
pub(super) async fn put(site: &Site, request: &Request, user: &UserId, account: AccountInput) -> Result<Saved, Fault> {
    note_owner(site, user, &account.services).await?;
    match site.ask(user, Placement::AsConfigured, request, Command::PutAccount(account)).await? {
        Reply::Saved(saved) => Ok(saved),
        reply => Err(unexpected(&reply)),
    }
}

/// The account of `user`.
pub(super) async fn account_of(site: &Site, request: &Request, user: &UserId) -> Result<Option<Account>, Fault> {
    match site.ask(user, Placement::AsConfigured, request, Command::GetAccount).await? {
        Reply::Account(account) => Ok(Some(account)),
        Reply::Missing => Ok(None),
        reply => Err(unexpected(&reply)),
    }
}

/// The user who owns a service, by KV's hint and the object's word.
pub(super) async fn owner_of(site: &Site, request: &Request, service: &OwnedId) -> Result<Option<UserId>, Fault> {
    let Some(user) = site.kv()?.get::<UserId>(&store::service_key(service)).await? else { return Ok(None) };
    let account = account_of(site, request, &user).await?;
    Ok(account.filter(|account| account.owns(Some(service), None)).map(|_| user))
}

/// Notes that `user` owns these services, where KV does not say so yet. It is a hint: the user's object has the last word.
async fn note_owner(site: &Site, user: &UserId, services: &[OwnedId]) -> Result<(), Fault> {
    let kv = site.kv()?;
    for (key, owner) in hints(&kv, services).await? {
        if owner.as_ref() != Some(user) {
            kv.put(&key, user, None).await?;
        }
    }
    Ok(())
}

/// Forgets that `user` owned these services.
pub(super) async fn forget_owner(site: &Site, user: &UserId, services: &[OwnedId]) -> Result<(), Fault> {
    let kv = site.kv()?;
    for (key, owner) in hints(&kv, services).await? {
        if owner.as_ref() == Some(user) {
            kv.delete(&key).await?;
        }
    }
    Ok(())
}

/// What KV says of the owners of these services, by key.
async fn hints(kv: &Kv, services: &[OwnedId]) -> Result<Vec<(String, Option<UserId>)>, Fault> {
    let keys: BTreeSet<_> = services.iter().map(store::service_key).collect();
    kv.get_each(keys.into_iter().collect()).await
}
