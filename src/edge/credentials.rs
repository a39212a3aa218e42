//! Making, changing and revoking credential sets, in an order that leaves a failure on the safe side.

use super::accounts;
use super::fault::{Fault, Trouble};
use super::kv::Kv;
use super::object::unexpected;
use super::platform::random;
use super::site::{Placement, Site};
use crate::credential::CredentialSet;
use crate::http::{Failure, Request};
use crate::id::ClientId;
use crate::import::{CredentialEntry, Reason};
use crate::secret::Secret;
use crate::store;
use crate::time::Timestamp;
use crate::user::{Command, Effect, Reply};

/// How often another id is drawn when its number is taken.
const DRAWS_MAX: usize = 5;

/// Makes a credential set of a new id and secret. Its number is taken first: without a set it names nothing.
pub(super) async fn create(
    site: &Site,
    make: impl FnOnce(ClientId, &Secret) -> Result<CredentialSet, Failure>,
) -> Result<(CredentialSet, Secret), Trouble> {
    let kv = site.kv()?;
    let (id, secret) = (free_id(site).await?, Secret::from_random(random()?));
    let set = make(id, &secret)?;
    kv.put(&store::credential_number_key(set.number()), &set.client_id, None).await?;
    kv.put_credential(&set).await?;
    Ok((set, secret))
}

/// A new id whose number no other set has.
async fn free_id(site: &Site) -> Result<ClientId, Fault> {
    let kv = site.kv()?;
    for _ in 0..DRAWS_MAX {
        let id = ClientId::from_random(random()?);
        if kv.get::<ClientId>(&store::credential_number_key(id.number())).await?.is_none() {
            return Ok(id);
        }
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

/// Writes a changed set. Switching it off reaches the object before KV, switching it on KV before the object: whatever
/// fails in between, the set stays off.
pub(super) async fn save(
    site: &Site,
    request: &Request,
    was_disabled: bool,
    set: &CredentialSet,
) -> Result<(), Trouble> {
    if set.disabled {
        tell_object(site, request, set, Command::RevokeCredential(set.client_id.clone())).await?;
    }
    site.kv()?.put_credential(set).await?;
    if was_disabled && !set.disabled {
        tell_object(site, request, set, Command::RestoreCredential(set.client_id.clone())).await?;
    }
    Ok(())
}

/// Revokes a set. The object first: from then on no token of the set is redeemed, whatever KV still says.
pub(super) async fn revoke(site: &Site, request: &Request, set: &CredentialSet) -> Result<(), Trouble> {
    tell_object(site, request, set, Command::RevokeCredential(set.client_id.clone())).await?;
    let kv = site.kv()?;
    kv.delete(&store::credential_key(&set.client_id)).await?;
    Ok(kv.delete(&store::credential_number_key(set.number())).await?)
}

/// Tells the object of the user whom the set is bound to, if it is; whether that changed anything.
async fn tell_object(site: &Site, request: &Request, set: &CredentialSet, command: Command) -> Result<bool, Fault> {
    let Some(user) = set.binding.user() else { return Ok(false) };
    match site.ask(user, Placement::AsConfigured, request, command).await? {
        Reply::Done => Ok(true),
        Reply::Unchanged => Ok(false),
        reply => Err(unexpected(&reply)),
    }
}

/// Why a set that brings its id, secret and number along is not written.
pub(super) enum Stop {
    /// The line is refused. Nothing was written.
    Refused(Reason),
    /// Storage failed.
    Fault(Fault),
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Writes a set that brings its id, secret and number along. Everything is judged before anything is written; the object
/// hears of a set that is off before KV does, and of one that is on after it. Whatever fails in between, the set stays
/// off, and writing it again completes it:
/// 1. the owner of its service, if it is to be bound to that one,
/// 2. the set as it is and as it is to be,
/// 3. its number is no other set's,
/// 4. the object, if the set is off,
/// 5. KV: the number, without a set it names nothing; not the number before any more; the set,
/// 6. the object, if the set is on: it may have been revoked before.
pub(super) async fn import(
    site: &Site,
    request: &Request,
    mut entry: CredentialEntry,
    now: Timestamp,
) -> Result<Effect, Stop> {
    let kv = site.kv()?;
    // 1.
    if let Some(service) = &entry.owner_of {
        entry.input.user_id = Some(accounts::owner_of(site, request, service).await?.ok_or(Reason::NoOwner)?);
    }
    // 2.
    let old = kv.credential(&entry.client_id).await?;
    let old_number = old.as_ref().map(CredentialSet::number);
    let (set, effect) = entry.settle(old, now)?;
    let is_new = effect != Effect::Unchanged;
    // 3.
    if is_new && is_taken(&kv, &set).await? {
        return Err(Reason::NumberTaken.into());
    }
    // 4.
    let mut is_told = false;
    if set.disabled {
        is_told = tell_object(site, request, &set, Command::RevokeCredential(set.client_id.clone())).await?;
    }
    // 5.
    if is_new {
        kv.put(&store::credential_number_key(set.number()), &set.client_id, None).await?;
        if let Some(number) = old_number.filter(|number| *number != set.number()) {
            kv.delete(&store::credential_number_key(number)).await?;
        }
        kv.put_credential(&set).await?;
    }
    // 6.
    if !set.disabled {
        is_told = tell_object(site, request, &set, Command::RestoreCredential(set.client_id.clone())).await?;
    }
    Ok(if is_told && !is_new { Effect::Changed } else { effect })
}

/// Whether another set has the number of `set`. What is left of one that is gone does not count.
async fn is_taken(kv: &Kv, set: &CredentialSet) -> Result<bool, Fault> {
    let holder: Option<ClientId> = kv.get(&store::credential_number_key(set.number())).await?;
    let Some(holder) = holder.filter(|holder| *holder != set.client_id) else { return Ok(false) };
    Ok(kv.credential(&holder).await?.is_some_and(|holder| holder.number() == set.number()))
}
