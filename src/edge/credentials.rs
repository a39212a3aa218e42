//! Making, changing and revoking credential sets, in an order that leaves a failure on the safe side.

use super::fault::{Fault, Trouble};
use super::object::unexpected;
use super::platform::random;
use super::site::{Placement, Site};
use crate::credential::{CredentialInput, CredentialSet};
use crate::http::{Failure, Request};
use crate::id::ClientId;
use crate::secret::Secret;
use crate::store;
use crate::user::{Command, Reply};

/// How often another id is drawn when its number is taken.
const DRAWS_MAX: usize = 5;

/// Makes a credential set of a new id and secret. Its number is taken first: without a set it names nothing.
pub(super) async fn create(site: &Site, input: CredentialInput) -> Result<(CredentialSet, Secret), Trouble> {
    let (id, secret) = (ClientId::from_random(random()?), Secret::from_random(random()?));
    let set = input.into_set(id, &secret, site.now).map_err(Failure::bad_request)?;
    let set = with_free_number(site, set).await?;
    let kv = site.kv()?;
    kv.put(&store::credential_number_key(set.number()), &set.client_id, None).await?;
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

/// Writes a changed set. `enables` says whether it was asked to be on, as [`write()`] has it.
pub(super) async fn save(site: &Site, request: &Request, set: &CredentialSet, enables: bool) -> Result<(), Fault> {
    let kv = site.kv()?;
    write(site, request, set, enables, kv.put_credential(set)).await?;
    Ok(())
}

/// Does `writing` of a set to KV. The object hears of a set that is off before that, and of one that is to be on after it:
/// whatever fails in between, the set stays off, and asking again completes it. Only who asked for it (`enables`) switches a
/// set on: KV may be stale and not know yet that it was revoked. Whether the object changed.
pub(super) async fn write(
    site: &Site,
    request: &Request,
    set: &CredentialSet,
    enables: bool,
    writing: impl Future<Output = Result<(), Fault>>,
) -> Result<bool, Fault> {
    let is_off = set.disabled && tell_object(site, request, set, Command::RevokeCredential).await?;
    writing.await?;
    let is_on = enables && !set.disabled && tell_object(site, request, set, Command::RestoreCredential).await?;
    Ok(is_off || is_on)
}

/// Revokes a set. The object first: from then on no token of the set is redeemed, whatever KV still says.
pub(super) async fn revoke(site: &Site, request: &Request, set: &CredentialSet) -> Result<(), Trouble> {
    tell_object(site, request, set, Command::RevokeCredential).await?;
    let kv = site.kv()?;
    kv.delete(&store::credential_key(&set.client_id)).await?;
    Ok(kv.delete(&store::credential_number_key(set.number())).await?)
}

/// Tells the object of the user whom the set is bound to, if it is; whether that changed anything.
async fn tell_object(
    site: &Site,
    request: &Request,
    set: &CredentialSet,
    command: fn(ClientId) -> Command,
) -> Result<bool, Fault> {
    let Some(user) = set.binding.user() else { return Ok(false) };
    match site.ask(user, Placement::AsConfigured, request, command(set.client_id.clone())).await? {
        Reply::Done => Ok(true),
        Reply::Unchanged => Ok(false),
        reply => Err(unexpected(&reply)),
    }
}
