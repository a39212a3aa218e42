//! Asking the objects of users about their accounts, and what KV knows of the owners of services.

use super::fault::{Fault, Trouble};
use super::object::unexpected;
use super::site::{Placement, Site};
use crate::http::Request;
use crate::id::{OwnedId, UserId};
use crate::store;
use crate::user::{AccountChange, Command, Reply};

/// Asks the object of `user` to do what `command` says. Before services are an account's, KV knows their owner; after they
/// are not, it forgets.
pub(super) async fn ask(site: &Site, request: &Request, user: &UserId, command: Command) -> Result<Reply, Trouble> {
    let services = match &command {
        Command::PutAccount(account) => account.services.clone(),
        Command::PatchAccount(AccountChange { services: Some(services), .. }) => services.clone(),
        Command::DeleteAccount => Vec::new(),
        _ => return Ok(site.ask(user, Placement::AsConfigured, request, command).await?),
    };
    let before = services_of(site, request, user).await?;
    if before.is_some() || matches!(command, Command::PutAccount(_)) {
        note_owner(site, user, &services).await?;
    }
    let reply = site.ask(user, Placement::AsConfigured, request, command).await?;
    let dropped: Vec<_> = before.unwrap_or_default().into_iter().filter(|id| !services.contains(id)).collect();
    forget_owner(site, user, &dropped).await?;
    Ok(reply)
}

/// The services of an account; none if there is no account.
async fn services_of(site: &Site, request: &Request, user: &UserId) -> Result<Option<Vec<OwnedId>>, Trouble> {
    match site.ask(user, Placement::AsConfigured, request, Command::GetAccount).await? {
        Reply::Account(account) => Ok(Some(account.services)),
        Reply::Missing => Ok(None),
        reply => Err(unexpected(&reply).into()),
    }
}

/// Notes that `user` owns these services, where KV does not say so yet. It is a hint: the user's object has the last word.
async fn note_owner(site: &Site, user: &UserId, services: &[OwnedId]) -> Result<(), Fault> {
    let kv = site.kv()?;
    for service in services {
        let key = store::service_key(service);
        if kv.get::<UserId>(&key).await?.as_ref() != Some(user) {
            kv.put(&key, user, None).await?;
        }
    }
    Ok(())
}

/// Forgets that `user` owned these services.
async fn forget_owner(site: &Site, user: &UserId, services: &[OwnedId]) -> Result<(), Fault> {
    let kv = site.kv()?;
    for service in services {
        let key = store::service_key(service);
        if kv.get::<UserId>(&key).await?.as_ref() == Some(user) {
            kv.delete(&key).await?;
        }
    }
    Ok(())
}
